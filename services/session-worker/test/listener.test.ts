// The way in: PROXY headers, TLS, and the HTTP request in all its shapes (T1, T13, T17 of the conformance list).
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { concatBytes, encodeLatin1, toHex } from "@postern/bytes";
import { encodeProxyV1, encodeProxyV2, TLV } from "@postern/proxy-protocol";
import { encodeSstpRequest } from "@postern/sstp";
import { eventually } from "@postern/testkit";
import { GATEWAY, startWorker } from "./worker-harness.ts";

type Worker = Awaited<ReturnType<typeof startWorker>>;

const PATH = "/sra_{BA195980-CD49-458b-9E23-C84EE0ADCD75}/";
const LENGTH = "Content-Length: 18446744073709551615";
const CONNECT_REQUEST = Uint8Array.of(0x10, 0x01, 0, 0x0e, 0, 1, 0, 1, 0, 1, 0, 6, 0, 1);
const CONNECT_ACK = "10010030000200010004002800000003";
const REQUEST = encodeSstpRequest({
    host: "vpn.example.test",
    correlationId: "{6f7b2f0a-1111-4222-8333-944445555666}",
});

async function open(worker: Worker, before: Uint8Array = new Uint8Array(0)): Promise<TLSSocket> {
    const tcp = connectTcp({ host: "127.0.0.1", port: worker.port, noDelay: true });
    await once(tcp, "connect");
    if (before.length > 0) tcp.write(before);
    const tls = worker.connectTls({ socket: tcp });
    await once(tls, "secureConnect");
    return tls;
}

/** Everything that comes until `enough` of it is there, or the end. */
async function read(socket: Socket, enough = Infinity): Promise<string> {
    let text = "";
    const chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>; // no encoding is set
    for await (const chunk of chunks) {
        text += chunk.toString("latin1");
        if (text.length >= enough) break;
    }
    return text;
}

async function ask(worker: Worker, ...lines: readonly string[]): Promise<string> {
    const tls = await open(worker);
    tls.write(encodeLatin1(`${lines.join("\r\n")}\r\n\r\n`));
    const answer = await read(tls);
    return answer.split("\r\n")[0] ?? "";
}

test("T1: a head cut at any octet, and with the first packet behind it", async () => {
    await using worker = await startWorker();
    const bytes = concatBytes(REQUEST, CONNECT_REQUEST);
    for (let at = 1; at < bytes.length; at += 7) {
        const tls = await open(worker);
        tls.write(bytes.subarray(0, at));
        await new Promise((resolve) => setImmediate(resolve));
        tls.write(bytes.subarray(at));
        const answer = await read(tls, 150 + 48);
        assert.match(answer, /^HTTP\/1\.1 200 \r\nContent-Length: 18446744073709551615\r\n/);
        const packets = encodeLatin1(answer.slice(answer.indexOf("\r\n\r\n") + 4));
        assert.ok(toHex(packets).startsWith(CONNECT_ACK), `cut at ${at}`);
        tls.destroy();
    }
});

test("T1: variants of the request that are SSTP, and those that are not", async () => {
    await using worker = await startWorker();
    const encoded = PATH.replace("{", "%7B").replace("}", "%7D");
    const welcome = async (...lines: readonly string[]): Promise<void> => {
        const tls = await open(worker);
        tls.write(encodeLatin1(`${lines.join("\r\n")}\r\n\r\n`));
        assert.match(await read(tls, 20), /^HTTP\/1\.1 200 /, lines.join(" | "));
        tls.destroy();
    };
    await welcome(`SSTP_DUPLEX_POST ${PATH} HTTP/1.1`, "host: x", LENGTH.toLowerCase());
    await welcome(`SSTP_DUPLEX_POST ${encoded} HTTP/1.1`, "HOST: x", LENGTH.toUpperCase(), "Cookie: a=b");
    await welcome(`SSTP_DUPLEX_POST ${PATH}?tenantid=acme HTTP/1.1`, "Host: x:443", LENGTH);
    const cases: readonly (readonly [string, ...string[]])[] = [
        ["HTTP/1.1 401 Unauthorized", `HEAD ${PATH} HTTP/1.1`, "Host: x"],
        ["HTTP/1.1 401 Unauthorized", `GET ${encoded} HTTP/1.0`],
        ["HTTP/1.1 404 Not Found", "GET / HTTP/1.1", "Host: x"],
        ["HTTP/1.1 404 Not Found", "SSTP_DUPLEX_POST / HTTP/1.1", "Host: x", LENGTH],
        ["HTTP/1.1 501 Not Implemented", "DELETE / HTTP/1.1", "Host: x"],
        ["HTTP/1.1 505 HTTP Version Not Supported", `SSTP_DUPLEX_POST ${PATH} HTTP/1.0`, "Host: x", LENGTH],
        ["HTTP/1.1 400 Bad Request", "nonsense"],
        ["HTTP/1.1 431 Request Header Fields Too Large", `GET / HTTP/1.1`, `X: ${"x".repeat(8_192)}`],
    ];
    for (const [status, ...lines] of cases)
        assert.equal(await ask(worker, ...lines), status, lines.join(" | ").slice(0, 100));
});

test("T1: the answer to a request that is too large reaches a client that is still sending it", async () => {
    await using worker = await startWorker();
    for (let times = 0; times < 5; times += 1) {
        const tls = await open(worker);
        tls.on("error", () => undefined);
        const answer = read(tls);
        tls.write(`GET / HTTP/1.1\r\nX: ${"x".repeat(500_000)}`);
        assert.match(await answer, /^HTTP\/1\.1 431 .*\r\nContent-Length: 0\r\n[^]*Connection: close\r\n\r\n$/);
    }
    assert.deepEqual(
        worker.handshakeFailures.map(({ stage, code }) => `${stage} ${code}`),
        Array.from({ length: 5 }, () => "http HTTP_HEAD_TOO_LARGE"),
    );
});

test("T17: probes are answered by state: 503 when the worker takes no sessions", async () => {
    await using worker = await startWorker({ capacity: 0 });
    assert.equal(await ask(worker, `HEAD ${PATH} HTTP/1.1`, "Host: x"), "HTTP/1.1 503 Service Unavailable");
    const tls = await open(worker);
    tls.write(REQUEST);
    assert.match(await read(tls), /^HTTP\/1\.1 503 Service Unavailable\r\nContent-Length: 0\r\n/);
});

test("T1: a slow head and a slow TLS handshake are cut off, said once, with what the client offered", async () => {
    await using worker = await startWorker();
    const tls = await open(worker);
    tls.write("SSTP_DUPLEX_POST ");
    await once(tls, "close");
    const tcp = connectTcp({ host: "127.0.0.1", port: worker.port });
    tcp.write(Uint8Array.of(22, 3, 1));
    await once(tcp, "close");
    await eventually(() =>
        assert.deepEqual(
            worker.handshakeFailures.map(({ stage }) => stage),
            ["http", "tls"],
        ),
    );
    assert.deepEqual(worker.handshakes, ["client"], "TLS does not begin before there is a whole ClientHello");
    assert.deepEqual(worker.handshakeFailures[0]?.clientHello?.versions, ["TLSv1.3", "TLSv1.2"]);
    assert.equal(worker.handshakeFailures[0].clientHello.serverName, "vpn.example.test");
});

test("a client that shares no TLS version is reported with its ClientHello", async () => {
    await using worker = await startWorker();
    const tls = connectTls({
        host: "127.0.0.1",
        port: worker.port,
        maxVersion: "TLSv1.1",
        minVersion: "TLSv1.1",
        ciphers: "DEFAULT@SECLEVEL=0",
        rejectUnauthorized: false,
    });
    await once(tls, "error");
    const [failure] = await eventually(() => {
        assert.equal(worker.handshakeFailures.length, 1);
        return worker.handshakeFailures;
    });
    assert.equal(failure?.stage, "tls");
    assert.deepEqual(failure.clientHello?.versions, ["TLSv1.1"]);
});

test("T17: a TCP probe that says nothing is not worth a line", async () => {
    await using worker = await startWorker();
    const tcp = connectTcp({ host: "127.0.0.1", port: worker.port });
    await once(tcp, "connect");
    tcp.end();
    await once(tcp, "close");
    await eventually(() => assert.equal(worker.listener.connections, 0));
    assert.deepEqual(worker.handshakeFailures, []);
});

test("T13: PROXY v1 and v2 from a trusted source give the client's address", async () => {
    await using worker = await startWorker({ proxyFrom: ["127.0.0.0/8"] });
    const source = { address: "198.51.100.7", port: 50_000 };
    const destination = { address: "203.0.113.1", port: 443 };
    const id = { type: TLV.uniqueId, value: encodeLatin1("0123456789abcdef") };
    const header = { command: "proxy", source, destination, tlvs: [id] } as const;
    for (const proxyHeader of [encodeProxyV2(header), encodeProxyV1(header)]) {
        const tunnel = await worker.dial({ proxyHeader });
        await tunnel.ping(GATEWAY);
        const session = [...worker.sessions.values()].at(-1);
        assert.deepEqual(session?.transport.client, source);
        await tunnel.disconnect();
        await eventually(() => assert.equal(worker.sessions.size, 0));
    }
});

test("T13: LOCAL is a health check; garbage and silence from a trusted source are refused", async () => {
    await using worker = await startWorker({ proxyFrom: ["127.0.0.0/8"] });
    const probe = await open(worker, encodeProxyV2({ command: "local", tlvs: [] }));
    probe.write(`HEAD ${PATH} HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.match(await read(probe), /^HTTP\/1\.1 401 /);
    assert.deepEqual(worker.handshakes, ["health-check"]);
    for (const bytes of [encodeLatin1("GET / HTTP/1.1\r\n"), new Uint8Array(0)]) {
        const tcp = connectTcp({ host: "127.0.0.1", port: worker.port });
        tcp.write(bytes);
        tcp.on("error", () => tcp.destroy());
        await once(tcp, "close");
    }
    await eventually(() =>
        assert.deepEqual(
            worker.handshakeFailures.map(({ stage }) => stage),
            ["proxy-header", "proxy-header"],
        ),
    );
});

test("T13: from anybody else a PROXY header is not believed", async () => {
    await using worker = await startWorker({ proxyFrom: ["192.0.2.0/24"] });
    const header = encodeProxyV1({
        command: "proxy",
        source: { address: "198.51.100.7", port: 1 },
        destination: { address: "203.0.113.1", port: 443 },
        tlvs: [],
    });
    await assert.rejects(worker.dial({ proxyHeader: header }));
    assert.equal(worker.handshakeFailures[0]?.stage, "tls");
    assert.equal(worker.handshakeFailures[0].client.address, "127.0.0.1");
});
