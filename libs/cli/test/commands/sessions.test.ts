import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
    registryQuery,
    workerDisconnect,
    type DisconnectQuestion,
    type QueryAnswer,
    type QueryQuestion,
} from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { disconnect, listSessions } from "../../src/commands/sessions.ts";
import { createInstallation, type TestInstallation } from "../test-installation.ts";

type Session = QueryAnswer["sessions"][number];

const PAGE = 2;
let installation: TestInstallation;
let sessions: Session[] = [];
const queries: QueryQuestion[] = [];
const disconnects: DisconnectQuestion[] = [];

// The registry and a worker as they are on the bus: two sessions a page.
before(async () => {
    installation = await createInstallation();
    const { bus } = installation;
    await bus.answer(bus.subjects.registry.query, registryQuery, (question) => {
        queries.push(question);
        const matching = sessions.filter(
            ({ session, principal }) =>
                (question.session ?? session) === session && (question.principal ?? principal) === principal,
        );
        const from = matching.findIndex(({ session }) => session === question.after) + 1;
        const page = matching.slice(from, from + PAGE);
        return Promise.resolve({ sessions: page, more: from + PAGE < matching.length });
    });
    await bus.answer(bus.subjects.worker("worker-1", "disconnect"), workerDisconnect, (question) => {
        disconnects.push(question);
        return Promise.resolve({ found: question.session !== "session02" });
    });
});
after(() => installation[Symbol.asyncDispose]());

const session = (number: number, principal: string): Session => ({
    session: `session0${number}`,
    epoch: 1,
    state: "admitted",
    worker: "worker-1",
    workerEpoch: 1,
    principal,
    groups: [],
    method: "mschapv2",
    client: { address: "192.0.2.7", port: 50_000 + number },
    address: `10.91.0.${number + 1}`,
    policy: { pool: "default" },
    admittedAt: new Date(Date.now() - 125_000).toISOString(),
    counters: { bytesIn: 2_048, bytesOut: 10, packetsIn: 1, packetsOut: 1, droppedIn: 0, droppedOut: 0 },
});

test("all pages are listed", async () => {
    const last = { ...session(5, "kim"), ipv6Prefix: "fd91:0:0:5::/64" };
    sessions = [...[1, 2, 3, 4].map((number) => session(number, "kim")), last];
    const text = await installation.printed((output) => listSessions(installation.bus, output, {}));
    assert.equal(text.trim().split("\n").length, 5);
    assert.match(
        text,
        /^session01\tkim\t10\.91\.0\.2\t192\.0\.2\.7:50001\tworker-1\tadmitted\t2m0\ds\t2\.0 KiB\t10 B\t-$/m,
    );
    assert.match(text, /^session05\t.*\t10 B\tfd91:0:0:5::\/64$/m);
    const list = await installation.json((output) => listSessions(installation.bus, output, {}));
    assert.deepEqual(list, sessions);
});

test("filters are the registry's", async () => {
    queries.length = 0;
    const filter = { user: "kim", worker: "worker-1", address: "10.91.0.2", client: "192.0.2.7", ended: true };
    await installation.printed((output) => listSessions(installation.bus, output, filter));
    const [first] = queries;
    assert.deepEqual(first, {
        principal: "kim",
        worker: "worker-1",
        address: "10.91.0.2",
        client: "192.0.2.7",
        includeEnded: true,
        limit: 200,
    });
});

test("a session is disconnected by its worker", async () => {
    sessions = [session(1, "kim"), session(2, "kim"), session(3, "ola")];
    disconnects.length = 0;
    const text = await installation.printed((output) => disconnect(installation.bus, output, { session: "session03" }));
    assert.equal(text, "session03 (ola on worker-1) is being disconnected\n");
    assert.deepEqual(
        disconnects.map(({ session: id, reason }) => [id, reason]),
        [["session03", "admin-disconnect"]],
    );
    assert.match(disconnects[0]?.by ?? "", /^[^@]+@/);
});

test("all sessions of a user are disconnected, and one that was gone is said to be", async () => {
    disconnects.length = 0;
    const text = await installation.printed((output) => disconnect(installation.bus, output, { user: "kim" }));
    assert.deepEqual(
        disconnects.map(({ session: id }) => id),
        ["session01", "session02"],
    );
    assert.match(text, /^session02 .* was gone already$/m);
});

test("a session that is not there is not found", async () => {
    await assert.rejects(
        installation.printed((output) => disconnect(installation.bus, output, { session: "session09" })),
        (error) => error instanceof DependencyError && error.code === "CLI_NOT_FOUND",
    );
});
