import assert from "node:assert/strict";
import { test } from "node:test";
import { BINDING_FAILURES, CALL_END_REASONS, type CallEndReason } from "@postern/sstp";

test("the list of reasons is complete: a new one does not compile without its entry here", () => {
    const all = {
        "client-disconnect": true,
        "client-abort": true,
        "binding-failed": true,
        "negotiation-timeout": true,
        "hello-timeout": true,
        "connect-retries-exceeded": true,
        "protocol-error": true,
        "local-disconnect": true,
        "local-abort": true,
        "stream-closed": true,
    } as const satisfies Readonly<Record<CallEndReason, true>>;
    assert.deepEqual([...CALL_END_REASONS].sort(), Object.keys(all).sort());
});

test("reasons and failures are names fit for a metric label", () => {
    for (const name of [...CALL_END_REASONS, ...BINDING_FAILURES]) assert.match(name, /^[a-z]+(-[a-z0-9]+)*$/);
});
