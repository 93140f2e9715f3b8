import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { parseConfig } from "@postern/config";
import { DependencyError } from "@postern/errors";
import { explainPolicy, localSubject } from "../../src/commands/policies.ts";
import { addUser } from "../../src/commands/users.ts";
import { createInstallation, type TestInstallation } from "../test-installation.ts";

const NOON = Date.parse("2026-11-24T12:00:00Z");
const CONFIG = parseConfig(
    [
        "name: gw.example.com",
        "session-registry: { pools: { default: { networks: [10.91.0.0/24], gateway: 10.91.0.1 },",
        "                             staff: { networks: [10.92.0.0/24], gateway: 10.92.0.1 } } }",
        "auth-broker:",
        "  policies:",
        "    - { name: everybody, set: { maxSessions: 2, idleTimeout: 30m } }",
        "    - name: staff",
        "      groups: [staff]",
        "      set: { pool: staff, hours: { zone: UTC, spans: [{ days: [tue], from: '08:00', to: '18:00' }] } }",
    ].join("\n"),
    "/etc/postern/postern.yaml",
);

let installation: TestInstallation;
before(async () => (installation = await createInstallation()));
after(() => installation[Symbol.asyncDispose]());

test("each value is shown with where it comes from", async () => {
    const { bus, cipher } = installation;
    const user = { name: "kim", password: "s3cret", groups: ["staff"], maxSessions: 5, tell: false };
    await installation.printed((output) => addUser({ ...installation, output }, user));
    const subject = await localSubject(bus, cipher, "kim");
    const rows = await installation.json((output) => Promise.resolve(explainPolicy(CONFIG, output, subject, NOON)));
    assert.partialDeepStrictEqual(rows, [
        { key: "hours", from: "policy staff" },
        { key: "idleTimeout", value: 1_800, from: "policy everybody" },
        { key: "maxSessions", value: 5, from: "backend local" },
        { key: "pool", value: "staff", from: "policy staff" },
        { key: "connected", value: "until 2026-11-24T18:00:00.000Z", from: "hours" },
    ]);
    const text = await installation.printed((output) => Promise.resolve(explainPolicy(CONFIG, output, subject, NOON)));
    assert.match(text, /^pool\tstaff\tpolicy staff$/m);
});

test("a user of another backend is explained by its groups; one that is not there is said", async () => {
    const subject = { user: "ola", groups: [], backend: "hq", stated: {} };
    const rows = await installation.json((output) => Promise.resolve(explainPolicy(CONFIG, output, subject, NOON)));
    assert.deepEqual(rows, [
        { key: "idleTimeout", value: 1_800, from: "policy everybody" },
        { key: "maxSessions", value: 2, from: "policy everybody" },
    ]);
    await assert.rejects(
        localSubject(installation.bus, installation.cipher, "nobody"),
        (error) => error instanceof DependencyError && error.code === "CLI_NOT_FOUND",
    );
});
