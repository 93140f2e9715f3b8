import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeRecord, encodeEvent, encodeOpening, GENESIS, hashLine } from "../src/record.ts";
import { event, WRITER } from "./sample-log.ts";

const AT = "2026-01-31T12:00:00.000Z";
const octets = (text: string): Buffer => Buffer.from(text, "utf8");

test("an event is one line in a fixed form", () => {
    const record = event(42);
    const line = encodeEvent(7, GENESIS, AT, record);
    assert.equal(
        line.slice(0, line.indexOf('"event"')),
        `{"n":7,"previous":"${GENESIS}","at":"${AT}","streamSequence":42,"storedAt":"2026-01-31T12:00:00.042Z",`,
    );
    assert.deepEqual(decodeRecord(octets(line)), { kind: "event", n: 7, previous: GENESIS, at: AT, ...record });
});

test("an opening says what is recorded", () => {
    const range: [number, number] = [1, 4];
    const opening = {
        writer: WRITER,
        chain: "0".repeat(32),
        recorded: [{ source: "postern/main/cli/x", epoch: 3, ranges: [range] }],
    };
    const line = encodeOpening(1, GENESIS, AT, opening);
    assert.equal(line, `{"n":1,"previous":"${GENESIS}","at":"${AT}","opening":${JSON.stringify(opening)}}`);
    assert.deepEqual(decodeRecord(octets(line)), { kind: "opening", n: 1, previous: GENESIS, at: AT, opening });
});

test("whatever an event holds comes back, on one line", () => {
    const anyEvent = fc.tuple(fc.nat(), fc.jsonValue()).map(([sequence, data]) => ({
        ...event(1),
        streamSequence: sequence,
        event: { ...event(1).event, data: JSON.parse(JSON.stringify({ data })) as unknown },
    }));
    fc.assert(
        fc.property(anyEvent, fc.integer({ min: 1 }), (record, n) => {
            const line = encodeEvent(n, GENESIS, AT, record);
            assert.ok(!line.includes("\n"));
            const decoded = decodeRecord(octets(line));
            assert.ok(decoded?.kind === "event" && decoded.n === n);
            assert.deepEqual(decoded.event, record.event);
        }),
    );
});

test("there is one way to write what comes before the body", () => {
    const line = encodeEvent(7, GENESIS, AT, event(42));
    for (const other of [
        line.replace('"n":7', '"n": 7'),
        line.replace('"n":7', '"n":07'),
        line.replace('"n":7', '"n":7.0'),
        line.replace('"n":7', '"n":0'),
        line.replace("T12", "t12"),
        line.replace("000Z", "00Z"),
        line.replace("0000", "000G"),
        line.replace('"streamSequence":42', '"streamSequence":042'),
        line.replace('"storedAt":"2026-01-31', '"storedAt":"2026-02-30'),
        line.replace('"storedAt":"2026-01-31', '"storedAt":"2026-01-32'),
        line.replace('{"n"', ' {"n"'),
        `${line} `,
        line.replace('"event":{', '"event":[{').replace(/}$/, "]}"),
        line.replace('"event"', '"opening"'),
        line.slice(0, -1),
        "",
        "{}",
        "null",
    ]) {
        assert.equal(decodeRecord(octets(other)), undefined, other);
    }
});

test("random octets are no record and break nothing", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
            assert.equal(decodeRecord(Buffer.from(bytes)), undefined),
        ),
    );
});

test("the hash is the SHA-256 of the octets", () => {
    // FIPS 180-4, "abc".
    assert.equal(hashLine("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
