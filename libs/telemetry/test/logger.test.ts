import assert from "node:assert/strict";
import { test } from "node:test";
import { DependencyError, InvariantError } from "@postern/errors";
import { createLogger } from "../src/logger.ts";
import { REDACTED } from "../src/redaction.ts";

function capture(level: "debug" | "info" = "info") {
    const lines: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
    return { lines, log: createLogger({ service: "ingress", instance: "i1", level, destination }) };
}

test("a line carries level, time, service, instance, fields and sentence", () => {
    const { lines, log } = capture();
    const before = Date.now();
    log.info({ port: 443 }, "listening");
    assert.equal(lines.length, 1);
    const { time, ...rest } = lines[0] ?? {};
    assert.deepEqual(rest, { level: "info", service: "ingress", instance: "i1", port: 443, msg: "listening" });
    assert.ok(typeof time === "number" && time >= before && time <= Date.now());
});

test("what is less severe than the level is not written", () => {
    const { lines, log } = capture();
    log.debug({}, "no");
    log.warn({}, "yes");
    assert.deepEqual(
        lines.map(({ msg }) => msg),
        ["yes"],
    );
});

test("secrets are redacted at the top, inside, and twice inside", () => {
    const { lines, log } = capture();
    const secrets = {
        password: "p1",
        hlak: "h1",
        seed: "s1",
        challenge: "c1",
        response: "r1",
        secret: "x1",
        ntHash: "n1",
    };
    log.info({ ...secrets, user: "kim" }, "flat");
    log.info({ login: { ...secrets } }, "nested");
    log.info({ question: { credentials: { ...secrets } }, message: { login: { ...secrets } } }, "deeper");
    log.child({ context: secrets }).info({}, "child");
    const written = JSON.stringify(lines);
    for (const value of Object.values(secrets)) assert.ok(!written.includes(`"${value}"`), `${value} in ${written}`);
    assert.equal(lines[0]?.["user"], "kim");
    assert.equal(lines[0]["password"], REDACTED);
});

test("secrets in lists and in errors are redacted; what was logged stays as it was", () => {
    const { lines, log } = capture();
    const fields = { attempts: [{ password: "p1", user: "kim" }], raw: Uint8Array.of(1), nothing: null };
    log.info(fields, "list");
    log.error({ error: Object.assign(new TypeError("why"), { login: { token: "t1" }, seed: "s1" }) }, "error");
    assert.deepEqual(lines[0]?.["attempts"], [{ password: REDACTED, user: "kim" }]);
    assert.equal(fields.attempts[0]?.password, "p1");
    const { error } = lines[1] as { error: { message: string; login: object; seed: string } }; // the logger's form
    assert.deepEqual([error.message, error.login, error.seed], ["why", { token: REDACTED }, REDACTED]);
});

test("an expected error is its code and sentence, an unexpected one keeps its stack", () => {
    const { lines, log } = capture();
    log.error(
        { error: new DependencyError("BUS_TIMEOUT", "registry.admit", { cause: new TypeError("inner") }) },
        "refused",
    );
    log.error({ error: new InvariantError("cannot be") }, "defect");
    const [expected, defect] = lines.map(
        ({ error }) => error as { code?: string; stack?: string; cause?: { stack?: string } }, // the logger's form
    );
    assert.equal(expected?.code, "BUS_TIMEOUT");
    assert.equal(expected.stack, undefined);
    assert.ok(expected.cause?.stack?.includes("TypeError: inner"));
    assert.ok(defect?.stack?.includes("cannot be"));
});
