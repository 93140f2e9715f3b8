import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { connect, type ConnectionOptions } from "node:tls";
import fc from "fast-check";
import { concatBytes, fromHex } from "@postern/bytes";
import { ClientHelloError, decodeClientHello } from "@postern/client-hello";

/** The first bytes that Node's own TLS client (OpenSSL) sends. */
async function captureHello(options: ConnectionOptions): Promise<Uint8Array> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const accepted = once(server, "connection");
    const client = connect({
        port: (server.address() as AddressInfo).port, // it listens on TCP
        host: "127.0.0.1",
        rejectUnauthorized: false,
        ...options,
    });
    client.on("error", () => client.destroy());
    const [socket] = (await accepted) as [NodeJS.ReadableStream & { destroy(): void }]; // what a TCP server gives
    const chunks: Uint8Array[] = [];
    while (decodeClientHello(concatBytes(...chunks)) === undefined)
        chunks.push(((await once(socket, "data")) as [Uint8Array])[0]); // a stream without encoding
    socket.destroy();
    client.destroy();
    server.close();
    return concatBytes(...chunks);
}

test("what OpenSSL offers is read", async () => {
    const hello = decodeClientHello(
        await captureHello({ servername: "VPN.example.com", ALPNProtocols: ["http/1.1", "h2"] }),
    );
    assert.deepEqual(hello?.versions, ["TLSv1.3", "TLSv1.2"]);
    assert.equal(hello.serverName, "vpn.example.com");
    assert.deepEqual(hello.alpn, ["http/1.1", "h2"]);
    assert.ok(hello.ciphers.includes("TLS_AES_256_GCM_SHA384"));
    assert.ok(hello.ciphers.includes("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
});

test("a TLS 1.2 client that dials an address has no name and says its version in the old field", async () => {
    const hello = decodeClientHello(await captureHello({ maxVersion: "TLSv1.2" }));
    assert.deepEqual(hello?.versions, ["TLSv1.2"]);
    assert.equal(hello.serverName, undefined);
    assert.deepEqual(hello.alpn, []);
});

test("a hello in pieces, in many records, with any beginning of it: undefined until it is whole", async () => {
    const whole = await captureHello({ servername: "vpn.example.com" });
    const expected = decodeClientHello(whole);
    for (let size = 0; size < whole.length; size += 1)
        assert.equal(decodeClientHello(whole.subarray(0, size)), undefined);
    const message = whole.subarray(5);
    const records: Uint8Array[] = [];
    for (let at = 0; at < message.length; at += 100) {
        const part = message.subarray(at, at + 100);
        records.push(concatBytes(Uint8Array.of(22, 3, 1, 0, part.length), part));
    }
    assert.deepEqual(decodeClientHello(concatBytes(...records)), expected);
});

test("tickets are read as their server wrote them, those of TLS 1.3 first", () => {
    const extension = (type: number, body: Uint8Array): Uint8Array =>
        concatBytes(Uint8Array.of(0, type, 0, body.length), body);
    const ticketsOf = (...extensions: readonly Uint8Array[]): readonly Uint8Array[] | undefined => {
        const all = concatBytes(...extensions);
        const body = concatBytes(
            fromHex(`0303 ${"00".repeat(32)} 00 0002 1301 01 00`),
            Uint8Array.of(0, all.length),
            all,
        );
        const message = concatBytes(Uint8Array.of(1, 0, 0, body.length), body);
        return decodeClientHello(concatBytes(Uint8Array.of(22, 3, 1, 0, message.length), message))?.tickets;
    };
    const session = extension(35, fromHex("0a0b0c"));
    const keys = extension(41, fromHex("0011 0003 010203 00000000 0002 0405 11111111 0002 9999"));
    assert.deepEqual(ticketsOf(), []);
    assert.deepEqual(ticketsOf(extension(35, new Uint8Array(0))), []);
    assert.deepEqual(ticketsOf(session), [fromHex("0a0b0c")]);
    assert.deepEqual(ticketsOf(session, keys), [fromHex("010203"), fromHex("0405"), fromHex("0a0b0c")]);
    assert.throws(() => ticketsOf(extension(41, fromHex("0007 0003 010203 0000"))), ClientHelloError);
});

test("GREASE is left out and unknown numbers are shown", () => {
    const body = fromHex(`0303 ${"00".repeat(32)} 00 0006 0a0a fafa 4321 01 00`);
    const message = concatBytes(Uint8Array.of(1, 0, 0, body.length), body);
    const hello = decodeClientHello(concatBytes(Uint8Array.of(22, 3, 1, 0, message.length), message));
    assert.deepEqual(hello, { versions: ["TLSv1.2"], ciphers: ["0x4321"], alpn: [], tickets: [] });
});

test("anything else throws its own error, whatever is damaged", async () => {
    for (const hex of ["17", "16 02", "16 0301 0000", "16 0301 0001 02", "16 0301 ffff", "16 0301 0004 01 ffffff"]) {
        assert.throws(() => decodeClientHello(fromHex(hex)), ClientHelloError, hex);
    }
    const whole = await captureHello({ servername: "vpn.example.com" });
    const damage = fc.array(fc.record({ at: fc.nat(whole.length - 1), value: fc.integer({ min: 0, max: 255 }) }), {
        maxLength: 4,
    });
    const survives = (bytes: Uint8Array): void => {
        try {
            decodeClientHello(bytes);
        } catch (error) {
            assert.ok(error instanceof ClientHelloError);
        }
    };
    fc.assert(
        fc.property(damage, (changes) => {
            const bytes = whole.slice();
            for (const { at, value } of changes) bytes[at] = value;
            survives(bytes);
        }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survives));
});
