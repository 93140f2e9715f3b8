// What is not what it should be, at every layer: noise, pieces, and too much of it.
import { randomBytes, randomInt } from "node:crypto";
import type { Socket } from "node:net";
import { encodeFrame, PROTOCOL } from "@postern/ppp";
import { encodeDataPacket } from "@postern/sstp";
import type { Attack, AttackOptions } from "./attack.ts";
import { atRate, endure } from "./pace.ts";
import { clientHello, openSstp, openTcp, openTls } from "./wire.ts";

/** A TLS record header that announces `length` octets of `type`. */
const recordOf = (type: number, length: number): Buffer => Buffer.from([type, 3, 1, length >>> 8, length & 0xff]);

/** A ClientHello in records of one octet each. */
const inTinyRecords = (hello: Buffer): Buffer =>
    Buffer.concat([...hello.subarray(5)].map((octet) => Buffer.concat([recordOf(22, 1), Buffer.of(octet)])));

type Kind = (options: AttackOptions, index: number) => Promise<Socket | undefined>;

const onTcp =
    (bytes: (hello: Buffer) => Uint8Array): Kind =>
    async (options, index) => {
        const socket = await openTcp(options, index);
        socket.write(bytes(await clientHello(options.target.servername)));
        return socket;
    };

const onTls =
    (bytes: () => Uint8Array): Kind =>
    async (options, index) => {
        const pair = await openTls(options, index);
        pair?.tls.write(bytes());
        return pair?.tls;
    };

const onSstp =
    (bytes: () => Uint8Array): Kind =>
    async (options, index) => {
        const pair = await openSstp(options, index, true);
        pair?.tls.write(bytes());
        return pair?.tls;
    };

const frame = (protocol: number, payload: Uint8Array): Uint8Array => encodeDataPacket(encodeFrame(protocol, payload));

const KINDS: readonly Kind[] = [
    // TCP: noise, one octet, the start of another protocol.
    onTcp(() => randomBytes(randomInt(1, 4_096))),
    onTcp(() => Buffer.of(0)),
    onTcp(() => Buffer.from("SSH-2.0-OpenSSH_9.2p1\r\n")),
    onTcp(() => Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")),
    // TLS records: cut off, of absurd sizes, of wrong types, damaged, in tiny pieces, more than there can be.
    onTcp((hello) => hello.subarray(0, randomInt(5, hello.length))),
    onTcp(() => Buffer.concat([recordOf(22, 0xffff), randomBytes(0xffff)])),
    onTcp(() =>
        Buffer.concat(Array.from({ length: 40 }, () => Buffer.concat([recordOf(22, 16_384), randomBytes(16_384)]))),
    ),
    onTcp((hello) => Buffer.concat([recordOf(23, hello.length), hello])),
    onTcp((hello) => damaged(hello)),
    onTcp(inTinyRecords),
    onTcp((hello) => Buffer.concat([hello, randomBytes(20_000)])),
    // HTTP: noise, no end, a head that is too large, a body that nobody wants.
    onTls(() => randomBytes(8_000)),
    onTls(() => Buffer.from("SSTP_DUPLEX_POST")),
    onTls(() => Buffer.from(`GET / HTTP/1.1\r\nX: ${"x".repeat(500_000)}`)),
    onTls(() => Buffer.from("\r\n".repeat(10_000))),
    onTls(() => Buffer.from(`POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n${"x".repeat(1_000_000)}`)),
    // SSTP: noise, wrong versions and lengths, control packets with absurd attributes.
    onSstp(() => randomBytes(4_000)),
    onSstp(() => Buffer.from([0x20, 0, 0, 8, 0, 0, 0, 0])),
    onSstp(() => Buffer.from([0x10, 1, 0, 2])),
    onSstp(() => Buffer.concat([Buffer.from([0x10, 1, 0x0f, 0xff, 0, 4, 0xff, 0xff]), randomBytes(4_087)])),
    onSstp(() => Buffer.concat(Array.from({ length: 200 }, () => Buffer.from([0x10, 1, 0, 8, 0, 0x0b, 0, 0])))),
    // PPP: noise, protocols that nobody has, lengths that lie, options without end.
    onSstp(() => Buffer.concat(Array.from({ length: 200 }, () => encodeDataPacket(randomBytes(randomInt(1, 60)))))),
    onSstp(() => Buffer.concat(Array.from({ length: 200 }, (_, index) => frame(0x8001 + 2 * index, randomBytes(20))))),
    onSstp(() => frame(PROTOCOL.lcp, Buffer.from([1, 1, 0xff, 0xff, 1, 4]))),
    onSstp(() => frame(PROTOCOL.lcp, Buffer.from([1, 1, 0, 8, 1, 0, 1, 0]))),
    onSstp(() => frame(PROTOCOL.pap, Buffer.from([1, 1, 0, 8, 0xff, 0xff, 0, 0]))),
    onSstp(() => frame(PROTOCOL.chap, Buffer.concat([Buffer.from([2, 1, 0xff, 0xff]), randomBytes(300)]))),
    onSstp(() => frame(PROTOCOL.ipcp, randomBytes(1_000))),
];

function damaged(hello: Buffer): Buffer {
    const copy = Buffer.from(hello);
    for (let times = 0; times < 4; times += 1) copy[randomInt(5, copy.length)] = randomInt(256);
    return copy;
}

/** Each kind in turn, one connection each. */
export const garbage: Attack = (options, tally, signal) =>
    atRate(options, signal, async (index) => {
        const socket = await KINDS[index % KINDS.length]?.(options, index);
        if (socket === undefined) return tally.add("refused");
        // Nobody waits for an answer for ever.
        await endure(socket, { ...options, seconds: 1 }, tally, signal);
    });

/** Noise where a PROXY header should be, and nothing at all. */
export const garbageHeaders: Attack = (options, tally, signal) =>
    atRate(options, signal, async (index) => {
        const socket = await openTcp({ ...options, sources: 0 }, index);
        if (index % 3 === 0) socket.write(randomBytes(300));
        if (index % 3 === 1) socket.write("PROXY TCP4 999.1.1.1 x\r\n");
        await endure(socket, options, tally, signal);
    });
