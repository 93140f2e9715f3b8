import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { byteSize, duration, filePath, listenAddress } from "../src/scalars.ts";

test("a duration is read in milliseconds", () => {
    const cases = { "0s": 0, "500ms": 500, "15s": 15_000, "2m": 120_000, "12h": 43_200_000, "30d": 2_592_000_000 };
    for (const [text, milliseconds] of Object.entries(cases)) assert.equal(duration().parse(text), milliseconds, text);
});

test("a size is read in bytes", () => {
    const cases = { "512B": 512, "64KiB": 65_536, "8MiB": 8_388_608, "1GiB": 2 ** 30, "2TiB": 2 ** 41 };
    for (const [text, bytes] of Object.entries(cases)) assert.equal(byteSize().parse(text), bytes, text);
});

test("a number without a unit, a sign, a space or another unit is refused", () => {
    for (const text of ["15", "-1s", "1 s", "1.5s", "1w", "s", "", 15]) {
        assert.equal(duration().safeParse(text).success, false, String(text));
    }
    for (const text of ["64", "64K", "64KB", "-1B", "1.5MiB", 64]) {
        assert.equal(byteSize().safeParse(text).success, false, String(text));
    }
});

test("a range is inclusive, and what is outside is told the bound", () => {
    const schema = duration({ min: "1s", max: "1m" });
    assert.equal(schema.parse("1s"), 1_000);
    assert.equal(schema.parse("60s"), 60_000);
    assert.match(schema.safeParse("999ms").error?.issues[0]?.message ?? "", /at least 1s/);
    assert.match(schema.safeParse("2m").error?.issues[0]?.message ?? "", /at most 1m/);
});

test("a default in the file's notation goes through the same door", () => {
    assert.equal(duration().prefault("15s").parse(undefined), 15_000);
});

test("an address is a host and a port", () => {
    assert.deepEqual(listenAddress().parse("127.0.0.1:9101"), { host: "127.0.0.1", port: 9101 });
    assert.deepEqual(listenAddress().parse("[::]:443"), { host: "::", port: 443 });
    assert.deepEqual(listenAddress().parse("gw.example.com:0"), { host: "gw.example.com", port: 0 });
    for (const text of ["127.0.0.1", ":443", "::1:443", "host:65536", "host:99999", "host:", "[]:1"]) {
        assert.equal(listenAddress().safeParse(text).success, false, text);
    }
});

test("every port there is can be written, and no other", () => {
    fc.assert(
        fc.property(fc.integer({ min: 0, max: 99_999 }), (port) => {
            assert.equal(listenAddress().safeParse(`h:${port}`).success, port <= 65_535);
        }),
    );
});

test("a path is not empty", () => {
    assert.equal(filePath().safeParse("").success, false);
});
