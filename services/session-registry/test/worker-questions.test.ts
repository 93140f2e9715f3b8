import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bus } from "@postern/bus";
import { subjectsOf } from "@postern/contracts";
import { DependencyError, InvariantError, type ErrorCode } from "@postern/errors";
import { askWorkers } from "../src/worker-questions.ts";
import { NOTHING } from "./world-settings.ts";

interface Asked {
    readonly subject: string;
    readonly question: { readonly session?: string; readonly after?: string };
}

/** A bus on which only questions can be asked. */
function busThat(answer: (asked: Asked) => unknown): { bus: Pick<Bus, "ask" | "subjects">; asked: Asked[] } {
    const asked: Asked[] = [];
    const bus: Pick<Bus, "ask" | "subjects"> = {
        subjects: subjectsOf("main"),
        async ask(subject, contract, asking) {
            const question = contract.question.parse(asking) as Asked["question"]; // either question of a worker
            asked.push({ subject, question });
            return contract.answer.parse(answer({ subject, question }));
        },
    };
    return { bus, asked };
}

const description = { worker: "w1", epoch: 1, state: "ready", sessions: [] };
const fail = (code: ErrorCode) => (): never => {
    throw new DependencyError(code);
};

test("no answer is told apart by what it means", async () => {
    const meanings = {
        BUS_NO_RESPONDERS: "absent",
        BUS_TIMEOUT: "silent",
        BUS_UNAVAILABLE: "unknown",
        BUS_BAD_MESSAGE: "unknown",
    };
    for (const [code, meaning] of Object.entries(meanings)) {
        const { bus } = busThat(fail(code as ErrorCode)); // a key of the table above
        const questions = askWorkers(bus);
        assert.equal(await questions.describe("w1", "session0001"), meaning, code);
        assert.equal(await questions.describeAll("w1"), meaning, code);
        const question = { session: "session0001", reason: "replaced", by: "r1" } as const;
        assert.equal(await questions.disconnect("w1", question), meaning, code);
    }
});

test("a defect is no silence", async () => {
    const { bus } = busThat(() => {
        throw new InvariantError("ours");
    });
    await assert.rejects(askWorkers(bus).describe("w1", "session0001"), InvariantError);
});

test("asks that worker for that session", async () => {
    const { bus, asked } = busThat(() => description);
    await askWorkers(bus).describe("w1", "session0001");
    assert.deepEqual(asked, [{ subject: "postern.main.worker.w1.describe", question: { session: "session0001" } }]);
});

test("a long list comes in pages", async () => {
    const all = ["session0001", "session0002", "session0003", "session0004", "session0005"];
    const { bus, asked } = busThat(({ question }) => {
        const rest = all.filter((session) => question.after === undefined || session > question.after);
        const sessions = rest.slice(0, 2).map((session) => ({ session, epoch: 1, counters: NOTHING }));
        return { ...description, sessions, more: rest.length > 2 };
    });
    const answer = await askWorkers(bus).describeAll("w1");
    assert.ok(typeof answer !== "string");
    assert.deepEqual(
        answer.sessions.map(({ session }) => session),
        all,
    );
    assert.equal(asked.length, 3);
});

test("a worker that falls silent between two pages is silent", async () => {
    let pages = 0;
    const { bus } = busThat(() => {
        pages += 1;
        if (pages === 2) throw new DependencyError("BUS_TIMEOUT");
        return { ...description, sessions: [{ session: "session0001", epoch: 1, counters: NOTHING }], more: true };
    });
    assert.equal(await askWorkers(bus).describeAll("w1"), "silent");
});

test("an empty page is the last", async () => {
    const { bus } = busThat(() => ({ ...description, more: true }));
    assert.deepEqual(await askWorkers(bus).describeAll("w1"), { ...description, more: true });
});
