import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change } from "@postern/bus";
import { addressKey, type BanRecord } from "@postern/contracts";
import { BanList } from "../src/ban-list.ts";

const NOW = Date.parse("2026-11-01T12:00:00.000Z");

async function startList(now = () => NOW) {
    const list = new BanList(now);
    let tell: (change: Change<BanRecord>) => void = () => assert.fail("nobody watches");
    let watching = false;
    await list.start({
        watch: (onChange) => {
            tell = onChange;
            watching = true;
            return Promise.resolve({ ready: Promise.resolve(), stop: () => (watching = false) });
        },
    });
    const ban = (source: string, until = "2026-11-01T13:00:00.000Z"): void => {
        const value = { source, reason: "by hand", by: "admin", since: "2026-11-01T11:00:00.000Z", until };
        tell({ kind: "put", entry: { key: addressKey(source), value, revision: 1 } });
    };
    const lift = (source: string): void => {
        tell({ kind: "gone", key: addressKey(source), revision: 2, expired: false });
    };
    return { list, ban, lift, isWatching: () => watching };
}

test("a ban holds for its source alone, until it is lifted", async () => {
    const { list, ban, lift } = await startList();
    for (const source of ["192.0.2.7", "2001:db8:1:2::"]) {
        ban(source);
        assert.equal(list.find(source)?.source, source);
        lift(source);
        assert.equal(list.find(source), undefined);
    }
    ban("192.0.2.7");
    assert.equal(list.find("192.0.2.8"), undefined);
    assert.equal(list.find("2001:db8:1:2::"), undefined);
});

test("a ban that is over does not hold, though its key may still be there", async () => {
    let now = NOW;
    const { list, ban } = await startList(() => now);
    ban("192.0.2.7", "2026-11-01T12:00:01.000Z");
    assert.ok(list.find("192.0.2.7"));
    now += 1_000;
    assert.equal(list.find("192.0.2.7"), undefined);
    assert.equal(list.size, 1);
});

test("a list that is stopped follows nothing", async () => {
    const { list, isWatching } = await startList();
    assert.ok(isWatching());
    list.stop();
    assert.ok(!isWatching());
});
