import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bus } from "@postern/bus";
import { subjectsOf, type AdmitAnswer, type AdmitQuestion } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { KeptLog } from "@postern/testkit";
import { admit } from "../src/admission.ts";
import { RecordedEvents } from "./doubles.ts";

const QUESTION: AdmitQuestion = {
    session: "0123456789abcdef",
    worker: "w1",
    workerEpoch: 7,
    principal: "alice",
    groups: [],
    method: "pap",
    policy: { pool: "default" },
    client: { address: "198.51.100.7", port: 1 },
};
const ADMITTED: AdmitAnswer = {
    state: "admitted",
    epoch: 1,
    addresses: { address: "10.91.0.11", gateway: "10.91.0.1", dns: [], nbns: [] },
};
const LOST = new DependencyError("BUS_TIMEOUT", "nobody answered registry.admit in time");

function world(...answers: readonly (AdmitAnswer | Error)[]) {
    const events = new RecordedEvents();
    const log = new KeptLog();
    let asked = 0;
    const bus: Pick<Bus, "ask" | "subjects"> = {
        subjects: subjectsOf("main"),
        async ask(subject) {
            assert.equal(subject, "postern.main.registry.admit");
            const answer = answers[asked];
            asked += 1;
            if (answer instanceof Error) throw answer;
            return answer as never; // what the contract says
        },
    };
    return { events, log, asked: () => asked, admit: () => admit(QUESTION, { bus, events, log, wallClock: () => 0 }) };
}

test("an answer that got lost is asked for again", async () => {
    const { admit: ask, asked, events } = world(LOST, ADMITTED);
    assert.deepEqual(await ask(), ADMITTED);
    assert.equal(asked(), 2);
    assert.deepEqual(events.told, []);
});

test("an admission without an answer is withdrawn through the outbox, which does not forget", async () => {
    const { admit: ask, events } = world(LOST, LOST);
    assert.partialDeepStrictEqual(await ask(), { state: "refused", reason: "registry-unavailable" });
    const [told] = events.told;
    assert.equal(told?.name, "session.ended");
    assert.partialDeepStrictEqual(told.data, {
        session: QUESTION.session,
        sessionEpoch: 1,
        reason: "admission-unanswered",
        address: "0.0.0.0",
        principal: "alice",
    });
    assert.partialDeepStrictEqual(told.settle, { session: QUESTION.session, epoch: 1, by: "w1", exact: true });
    assert.equal(told.settle?.at, told.data["endedAt"]);
});

test("without room for its end no session begins: the registry is not even asked", async () => {
    const { admit: ask, asked, events } = world(ADMITTED);
    events.accepting = false;
    assert.partialDeepStrictEqual(await ask(), { state: "refused", reason: "registry-unavailable" });
    assert.equal(asked(), 0);
});

test("a withdrawal that cannot be kept is said; the registry finds out by itself", async () => {
    const { admit: ask, events, log } = world(LOST, LOST);
    events.full = new DependencyError("OUTBOX_WRITE_FAILED", "no space");
    assert.equal((await ask()).state, "refused");
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(
        log.lines.map(({ level }) => level),
        ["error"],
    );
});

test("a defect is thrown on", async () => {
    await assert.rejects(world(new TypeError("a defect")).admit(), TypeError);
});
