import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { test } from "node:test";
import { buffer } from "node:stream/consumers";
import tls from "node:tls";
import { createCertificateAuthority, duplexPair } from "@postern/testkit";

test("bytes arrive whole and in order, both ways, and the ends see each other's address", async () => {
    const { left, right } = duplexPair({ clientAddress: "2001:db8::1", clientPort: 1234 });
    const [up, down] = [randomBytes(300_000), randomBytes(200_000)];
    left.end(up);
    right.end(down);
    const [receivedUp, receivedDown] = await Promise.all([buffer(right), buffer(left)]);
    assert.ok(receivedUp.equals(up) && receivedDown.equals(down));
    assert.equal(right.remoteAddress, "2001:db8::1");
    assert.equal(right.remoteFamily, "IPv6");
    assert.equal(right.remotePort, 1234);
    assert.equal(left.bytesWritten, right.bytesRead);
});

test("a writer is held back by a reader that does not read", async () => {
    const { left, right } = duplexPair({ highWaterMark: 1_000 });
    let written = 0;
    while (left.write(randomBytes(500))) written += 500;
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(written <= 2_000, `${written} bytes were accepted`);
    assert.ok(right.readableLength + left.writableLength <= 3_000);
    assert.equal(left.writableNeedDrain, true);
    right.resume();
    await once(left, "drain");
});

test("what the writer does to its buffer afterwards does not reach the reader", async () => {
    const { left, right } = duplexPair();
    const bytes = Buffer.from("before");
    left.write(bytes);
    bytes.fill("x");
    const [received] = (await once(right, "data")) as [Buffer]; // what a stream without encoding gives
    assert.equal(received.toString(), "before");
});

test("end and destroy reach the other end as the end of the stream", async () => {
    for (const close of ["end", "destroy", "destroySoon"] as const) {
        const { left, right } = duplexPair();
        right.resume();
        const ended = Promise.all([once(right, "end"), once(right, "close")]);
        left[close]();
        await ended;
    }
});

test("a reset reaches the other end as ECONNRESET; writing to a destroyed end gives EPIPE", async () => {
    const { left, right } = duplexPair();
    const reset = once(right, "error");
    left.resetAndDestroy();
    assert.equal(((await reset) as [NodeJS.ErrnoException])[0].code, "ECONNRESET"); // what "error" gives

    const pair = duplexPair({ allowHalfOpen: true });
    pair.right.destroy();
    const broken = once(pair.left, "error");
    pair.left.write("too late");
    assert.equal(((await broken) as [NodeJS.ErrnoException])[0].code, "EPIPE"); // what "error" gives
});

test("the idle timeout fires once nothing moves", async () => {
    const { left } = duplexPair();
    left.setTimeout(5);
    await once(left, "timeout");
    left.destroy();
});

for (const keyType of ["ecdsa", "rsa"] as const) {
    test(`TLS runs over a pair with an ${keyType} certificate`, async () => {
        const authority = await createCertificateAuthority();
        const { key, cert, der } = await authority.issue({ names: ["vpn.test", "192.0.2.7"], keyType });
        const { left, right } = duplexPair();
        const server = tls.createServer({ key, cert }, (socket) => socket.pipe(socket));
        server.emit("connection", right);
        const client = tls.connect({ socket: left, servername: "vpn.test", ca: authority.cert });
        await once(client, "secureConnect");
        assert.equal(client.authorized, true);
        assert.ok(client.getPeerCertificate().raw.equals(der));
        client.end("through TLS");
        assert.equal((await buffer(client)).toString(), "through TLS");
    });
}
