import assert from "node:assert/strict";
import { test } from "node:test";
import { hashPassword } from "@postern/accounts";
import { PasswordHasher } from "../src/password-hasher.ts";

const stored = await hashPassword("right");
const password = Buffer.from("right");
const never = new AbortController().signal;

const load = (hasher: PasswordHasher): readonly number[] => [hasher.running, hasher.waiting];

/** Hashes that end when the test says so. */
function heldHashes() {
    const open: (() => void)[] = [];
    const verify = (): Promise<boolean> => new Promise((resolve) => open.push(() => resolve(true)));
    return { open, verify };
}

test("at most so many hashes run, so many wait, and the rest is turned away at once", async () => {
    const { open, verify } = heldHashes();
    const hasher = new PasswordHasher({ concurrency: 2, waiting: 3 }, verify);
    const results = Array.from({ length: 10 }, () => hasher.verify(stored, password, never));
    await Promise.resolve();
    assert.equal(hasher.running, 2);
    assert.equal(hasher.waiting, 3);
    assert.deepEqual(
        await Promise.all(results.slice(5)),
        Array.from({ length: 5 }, () => undefined),
    );
    let done = 0;
    while (done < 5) {
        const hash = open[done];
        if (hash !== undefined) {
            hash();
            done += 1;
        }
        await new Promise((resolve) => setImmediate(resolve));
        assert.ok((load(hasher)[0] ?? 0) <= 2);
    }
    assert.deepEqual(await Promise.all(results.slice(0, 5)), [true, true, true, true, true]);
    assert.deepEqual(load(hasher), [0, 0]);
});

test("who does not wait any more gives up its place", async () => {
    const { open, verify } = heldHashes();
    const hasher = new PasswordHasher({ concurrency: 1, waiting: 2 }, verify);
    const abort = new AbortController();
    const first = hasher.verify(stored, password, never);
    const left = hasher.verify(stored, password, abort.signal);
    const third = hasher.verify(stored, password, never);
    abort.abort();
    assert.equal(await left, undefined);
    assert.equal(hasher.waiting, 1);
    assert.equal(await hasher.verify(stored, password, abort.signal), undefined);
    open[0]?.();
    assert.equal(await first, true);
    await new Promise((resolve) => setImmediate(resolve));
    open[1]?.();
    assert.equal(await third, true);
    assert.equal(open.length, 2);
});

test("a hash that fails frees its place", async () => {
    let calls = 0;
    const hasher = new PasswordHasher({ concurrency: 1, waiting: 1 }, () => {
        calls += 1;
        return calls === 1 ? Promise.reject(new RangeError("out of memory")) : Promise.resolve(false);
    });
    const first = hasher.verify(stored, password, never);
    const second = hasher.verify(stored, password, never);
    await assert.rejects(first, /out of memory/);
    assert.equal(await second, false);
    assert.equal(hasher.running, 0);
});

test("without a substitute it is scrypt that decides", async () => {
    const hasher = new PasswordHasher({ concurrency: 2, waiting: 2 });
    assert.equal(await hasher.verify(stored, password, never), true);
    assert.equal(await hasher.verify(stored, Buffer.from("wrong"), never), false);
});
