import assert from "node:assert/strict";
import { test } from "node:test";
import { formatLine, parseNatsLine, parseServiceLine, type LogLine } from "../src/log-format.ts";

const NOON = new Date(2026, 0, 31, 12, 0, 0, 5).getTime();
const plain = { colour: false, nameWidth: 8 };
const format = (line: LogLine): string => formatLine("w1", line, NOON, plain);

test("a line of a service becomes time, name, level, message and fields", () => {
    const json = JSON.stringify({
        level: "info",
        time: NOON,
        service: "session-worker",
        instance: "w1",
        port: 443,
        name: "a b",
        deep: { x: 1 },
        msg: "listening",
    });
    assert.equal(
        format(parseServiceLine(json)),
        '12:00:00.005 w1       INFO  listening port=443 name="a b" deep={"x":1}',
    );
});

test("an error comes last, with its cause, and its stack on lines of its own", () => {
    const error = {
        code: "BUS_TIMEOUT",
        message: "BUS_TIMEOUT: registry.admit",
        cause: { message: "late", stack: "Error: late\n    at here\n    at there" },
    };
    const json = JSON.stringify({ level: "error", time: NOON, session: "s1", error, msg: "refused" });
    assert.equal(
        format(parseServiceLine(json)),
        "12:00:00.005 w1       ERROR refused session=s1: BUS_TIMEOUT: registry.admit (because: late\n    at here\n    at there)",
    );
});

test("what is no log line is an error as it stands", () => {
    for (const text of ["SyntaxError: no", "{ not json", '{"some":"json"}', "null"]) {
        assert.deepEqual(parseServiceLine(text), { time: undefined, level: "error", message: text, fields: {} });
    }
});

test("control characters of a client do not reach the terminal", () => {
    const json = JSON.stringify({ level: "warn", time: NOON, user: "\u001B[2Jevil\n", msg: "no\u0007 such user" });
    const shown = format(parseServiceLine(json));
    assert.ok(!/\p{Cc}/u.test(shown), JSON.stringify(shown));
});

test("of nats-server's lines the warnings and the news are shown", () => {
    const line = (text: string): LogLine | undefined => parseNatsLine(`[4711] 2026/01/31 12:00:00.123456 ${text}`);
    assert.deepEqual(line("[INF] Server is ready")?.message, "Server is ready");
    assert.equal(line("[INF]   Version:  2.15.1"), undefined);
    assert.deepEqual(line("[ERR] no space left")?.level, "error");
    assert.deepEqual(line("[FTL] cannot listen")?.level, "fatal");
    assert.deepEqual(parseNatsLine("nats-server: bad option")?.level, "error");
});

test("colours are for terminals", () => {
    const line = parseServiceLine(JSON.stringify({ level: "warn", time: NOON, msg: "x" }));
    assert.ok(formatLine("w1", line, NOON, { colour: true, nameWidth: 2 }).includes("\u001B[33mWARN \u001B[0m"));
});
