import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeLatin1 } from "@postern/bytes";
import { eventually } from "@postern/testkit";
import { acceptConnection } from "./accepted-connection.ts";

/** A ClientHello without extensions, RFC 5246 §7.4.1.2. */
const HELLO = Uint8Array.of(22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3, ...new Uint8Array(32), 0, 0, 2, 0x13, 1, 1, 0);

test("a ClientHello is one when its last byte is there, and not before", async () => {
    using path = await acceptConnection();
    for (const octet of HELLO) {
        assert.equal(path.opening.isHello, false);
        path.client.write(Uint8Array.of(octet));
        assert.equal(await path.opening.more(1_000), "more");
    }
    assert.equal(path.opening.isHello, true);
    assert.deepEqual(Uint8Array.from(path.opening.bytes), HELLO);
});

test("what was for somebody else is dropped, and what is behind it looked at again", async () => {
    using path = await acceptConnection();
    path.client.write(Buffer.concat([encodeLatin1("PROXY UNKNOWN\r\n"), HELLO]));
    assert.equal(await path.opening.more(1_000), "more");
    assert.equal(path.opening.isHello, false);
    path.opening.drop(15);
    assert.equal(path.opening.isHello, true);
    assert.deepEqual(Uint8Array.from(path.opening.bytes), HELLO);
});

test("silence and an end are told apart; nothing is waited for on a connection that is gone", async () => {
    using path = await acceptConnection();
    assert.equal(await path.opening.more(20), "timeout");
    path.client.end();
    assert.equal(await path.opening.more(1_000), "closed");
    assert.equal(await path.opening.more(1_000), "closed");
    path.socket.destroy();
    assert.equal(await path.opening.more(1_000), "closed");
});

test("a client that floods before anybody answers is not read any further", async () => {
    using path = await acceptConnection();
    let told = 0;
    const unfollow = path.opening.follow(
        (chunk) => (told += chunk.length),
        () => undefined,
    );
    path.client.write(new Uint8Array(8_000_000));
    await eventually(() => assert.equal(path.socket.isPaused(), true));
    assert.equal(told, path.opening.bytes.length);
    assert.ok(told >= 32_768 && told < 32_768 + 65_536);
    unfollow();
});
