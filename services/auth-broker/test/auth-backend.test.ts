import assert from "node:assert/strict";
import { test } from "node:test";
import { rejection } from "../src/auth-backend.ts";
import { testAuthBackend, type BackendMember } from "./backend-suite.ts";
import { embeddedRig } from "./embedded-rig.ts";
import { AskingBackend, SilentBackend } from "./test-backends.ts";
import { testClock } from "./test-clock.ts";

const knows = { user: "alice", password: "correct horse" };

const embedded: Promise<BackendMember> = embeddedRig([knows]).then(({ backend }) => ({ backend, knows }));
testAuthBackend("local", () => embedded);

testAuthBackend("asking", () => {
    const clock = testClock();
    const backend = new AskingBackend(clock, knows.user, knows.password);
    return Promise.resolve({ backend, knows, passTime: () => clock.fake.advanceAsync(5_000) });
});

testAuthBackend("silent", () => {
    const clock = testClock();
    return Promise.resolve({ backend: new SilentBackend(clock), passTime: () => clock.fake.advanceAsync(5_000) });
});

test("a rejection is made of its reason and its detail", () => {
    assert.deepEqual(rejection("throttled", "why"), { outcome: "reject", reason: "throttled", detail: "why" });
});
