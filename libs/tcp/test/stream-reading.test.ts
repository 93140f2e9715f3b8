// Reading from real TLS sockets: in the memory that they share, and without losing anything between two readers.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, Socket, connect as connectTcp } from "node:net";
import { type Duplex, PassThrough } from "node:stream";
import { test } from "node:test";
import { connect, createSecureContext, TLSSocket } from "node:tls";
import { createCertificateAuthority, eventually } from "@postern/testkit";
import { type OnBytes, StreamReading } from "../src/stream-reading.ts";

interface Pair {
    readonly stream: TLSSocket;
    readonly client: TLSSocket;
    /** Below the client. */
    readonly tcp: Socket;
}

/** As a worker has them: the TLS socket of an accepted connection, paused, and the client at its other end. */
async function openPairs() {
    const authority = await createCertificateAuthority("Test");
    const secureContext = createSecureContext(await authority.issue({ names: ["127.0.0.1"] }));
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    assert.ok(address !== null && typeof address === "object");
    const open = async (): Promise<Pair> => {
        const tcp = connectTcp(address.port, "127.0.0.1");
        const [accepted]: unknown[] = await once(server, "connection");
        assert.ok(accepted instanceof Socket);
        const stream = new TLSSocket(accepted, { isServer: true, secureContext });
        const client = connect({ socket: tcp, ca: authority.cert, host: "127.0.0.1" });
        await once(client, "secureConnect");
        stream.on("error", () => undefined).pause();
        return { stream, client: client.on("error", () => undefined), tcp: tcp.on("error", () => undefined) };
    };
    const pairs = [await open(), await open(), await open()] as const;
    return {
        pairs,
        [Symbol.dispose]: () => {
            server.close();
            for (const { stream, client } of pairs) {
                stream.destroy();
                client.destroy();
            }
        },
    };
}

function startReading(stream: Duplex, onBytes: OnBytes): StreamReading {
    const reading = new StreamReading(stream, onBytes);
    reading.start();
    return reading;
}

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

test("sockets are read into one memory, and each gets its own bytes in their order", async () => {
    using opened = await openPairs();
    const memories = new Set<ArrayBufferLike>();
    const received = opened.pairs.map(({ stream }) => {
        const pieces: Buffer[] = [];
        startReading(stream, (bytes, lasting) => {
            assert.equal(lasting, false);
            memories.add(bytes.buffer);
            pieces.push(Buffer.copyBytesFrom(bytes));
        });
        return () => Buffer.concat(pieces);
    });
    const sent = opened.pairs.map(({ client }) => {
        const bytes = randomBytes(1_000_000);
        for (let at = 0; at < bytes.length; at += 7_919) client.write(bytes.subarray(at, at + 7_919));
        return bytes;
    });
    await eventually(() => received.every((all) => all().length === 1_000_000));
    assert.deepEqual(
        received.map((all) => digest(all())),
        sent.map((bytes) => digest(bytes)),
    );
    assert.equal(memories.size, 1);
});

test("a reader may write to every socket while it looks at what came on one: nothing is read in between", async () => {
    using opened = await openPairs();
    const answer = randomBytes(20_000);
    const answers = opened.pairs.map(({ client }) => {
        let size = 0;
        client.on("data", (chunk: Buffer) => (size += chunk.length));
        return () => size;
    });
    let pieces = 0;
    let changed = 0;
    for (const { stream } of opened.pairs)
        startReading(stream, (bytes) => {
            pieces += 1;
            const before = Buffer.from(bytes);
            for (const other of opened.pairs) other.stream.write(answer);
            if (!before.equals(bytes)) changed += 1;
        });
    for (const { client } of opened.pairs) client.write(randomBytes(300_000));
    await eventually(() => assert.ok(pieces >= (3 * 300_000) / 16_384));
    await eventually(() => assert.ok(answers.every((size) => size() === pieces * answer.length)));
    assert.equal(changed, 0);
});

test("whatever a reader returns, reading goes on", async () => {
    using opened = await openPairs();
    const [{ stream, client }] = opened.pairs;
    let size = 0;
    startReading(stream, (bytes) => {
        size += bytes.length;
        return false;
    });
    client.write(randomBytes(100_000));
    await eventually(() => assert.equal(size, 100_000));
});

test("what was put back comes first, and nothing is lost or doubled where one reader stops and another begins", async () => {
    using opened = await openPairs();
    const [{ stream, client }] = opened.pairs;
    const sent = randomBytes(2_000_000);
    stream.unshift(Buffer.copyBytesFrom(sent, 0, 1_000));
    client.write(sent.subarray(1_000));
    const pieces: Buffer[] = [];
    let size = 0;
    let readers = 0;
    const read = (): void => {
        readers += 1;
        const limit = size + 100_000;
        const reading = new StreamReading(stream, (bytes) => {
            pieces.push(Buffer.copyBytesFrom(bytes));
            size += bytes.length;
            // In the middle of what has been decrypted at once.
            if (size > limit) {
                reading.stop();
                setImmediate(read);
            }
        });
        reading.start();
    };
    read();
    await eventually(() => size === sent.length);
    assert.ok(readers > 5, `${readers} readers`);
    assert.equal(digest(Buffer.concat(pieces)), digest(sent));
});

test("a client that closes ends the stream, also while nobody reads and after a reader has stopped", async () => {
    using opened = await openPairs();
    const [first, second] = opened.pairs;
    startReading(first.stream, () => undefined);
    const closed = once(first.stream, "close");
    first.client.end();
    await closed;
    startReading(second.stream, () => undefined).stop();
    const later = once(second.stream, "close");
    second.client.end(randomBytes(100));
    startReading(second.stream, () => undefined);
    await later;
});

test("a connection that breaks, in any way, ends its stream after what came before, and no other stream", async () => {
    const breaks: ((tcp: Socket) => void)[] = [
        (tcp) => void tcp.resetAndDestroy(),
        // Without close_notify.
        (tcp) => void tcp.end(),
        (tcp) => void tcp.write(Buffer.from("not a record of TLS")),
    ];
    using opened = await openPairs();
    for (const [at, { stream, client, tcp }] of opened.pairs.entries()) {
        const received: string[] = [];
        stream.on("_tlsError", (error: Error) => stream.destroy(error));
        startReading(stream, (bytes) => void received.push(Buffer.from(bytes).toString()));
        client.write("before");
        await eventually(() => assert.deepEqual(received, ["before"]));
        const closed = new Promise((resolve) => stream.once("close", resolve));
        breaks[at]?.(tcp);
        await closed;
        assert.deepEqual(received, ["before"]);
        assert.ok(opened.pairs.slice(at + 1).every((later) => !later.stream.destroyed));
    }
});

test("a stream that is no TLS socket is read as it comes", async () => {
    const stream = new PassThrough();
    stream.pause();
    stream.write("first");
    const pieces: string[] = [];
    const reading = startReading(stream, (bytes, lasting) => {
        assert.ok(lasting);
        pieces.push(Buffer.from(bytes).toString());
    });
    stream.write("second");
    await eventually(() => pieces.length === 2);
    reading.stop();
    stream.write("third");
    assert.equal(stream.read()?.toString(), "third");
    assert.deepEqual(pieces, ["first", "second"]);
});
