// TLS ClientHellos, before TLS sees them.
import assert from "node:assert/strict";
import { concatBytes, encodeLatin1 } from "@postern/bytes";
import { type ClientHello, decodeClientHello, MAX_CLIENT_HELLO_SIZE } from "@postern/client-hello";
import type { FuzzTarget } from "../fuzz-target.ts";
import { cutPoint, outcomeOf, plainOutcome, valueOf } from "../properties.ts";

const vector8 = (...parts: readonly Uint8Array[]): Uint8Array => {
    const body = concatBytes(...parts);
    return concatBytes(Uint8Array.of(body.length), body);
};
const vector16 = (...parts: readonly Uint8Array[]): Uint8Array => {
    const body = concatBytes(...parts);
    return concatBytes(Uint8Array.of(body.length >>> 8, body.length), body);
};
const extension = (type: number, body: Uint8Array): Uint8Array =>
    concatBytes(Uint8Array.of(type >>> 8, type), vector16(body));

const record = (fragment: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(22, 3, 1), vector16(fragment));

/** The handshake message of a client that dials `name`. */
function hello(extensions: readonly Uint8Array[] | undefined): Uint8Array {
    const body = concatBytes(
        Uint8Array.of(3, 3),
        new Uint8Array(32).fill(0x11),
        vector8(new Uint8Array(32).fill(0x22)),
        vector16(Uint8Array.of(0x0a, 0x0a, 0x13, 0x01, 0x13, 0x02, 0xc0, 0x2f, 0x00, 0xff)),
        vector8(Uint8Array.of(0)),
        ...(extensions === undefined ? [] : [vector16(...extensions)]),
    );
    return concatBytes(Uint8Array.of(1, 0), vector16(body));
}

const SERVER_NAME = extension(0, vector16(Uint8Array.of(0), vector16(encodeLatin1("vpn.example.com"))));
const ALPN = extension(16, vector16(vector8(encodeLatin1("h2")), vector8(encodeLatin1("http/1.1"))));
const VERSIONS = extension(43, vector8(Uint8Array.of(0x1a, 0x1a, 3, 4, 3, 3)));
const TICKET = extension(35, new Uint8Array(64).fill(0x44));
const IDENTITY = concatBytes(vector16(new Uint8Array(48).fill(0x55)), new Uint8Array(4));
const PRE_SHARED_KEY = extension(41, concatBytes(vector16(IDENTITY, IDENTITY), vector16(vector8(new Uint8Array(32)))));
const KEY_SHARE = extension(51, vector16(new Uint8Array(38).fill(0x33)));

function* seeds(): Iterable<Uint8Array> {
    const modern = hello([SERVER_NAME, ALPN, VERSIONS, KEY_SHARE]);
    yield record(modern);
    yield concatBytes(record(modern.subarray(0, 3)), record(modern.subarray(3, 70)), record(modern.subarray(70)));
    yield record(hello([SERVER_NAME]));
    yield record(hello(undefined));
    yield record(hello([SERVER_NAME, TICKET]));
    yield record(hello([VERSIONS, TICKET, PRE_SHARED_KEY]));
    yield record(hello([VERSIONS, SERVER_NAME, SERVER_NAME, extension(0xfe0d, new Uint8Array(9))]));
}

export const target: FuzzTarget = {
    maxLength: 2048,
    seeds,
    run(bytes) {
        const whole = outcomeOf(() => decodeClientHello(bytes));
        assertPartAgrees(whole, bytes.subarray(0, cutPoint(bytes)));
        const decoded = valueOf(whole);
        if (decoded === undefined) return;
        const { versions, ciphers, alpn, serverName, tickets } = decoded;
        assert.ok(versions.length + ciphers.length + alpn.length <= bytes.length);
        assert.match(serverName ?? "x", /^[a-z0-9._*-]{1,255}$/);
        assert.ok(tickets.reduce((size, ticket) => size + ticket.length, 0) <= bytes.length);
        for (const protocol of alpn) assert.match(protocol, /^[!-~]{1,64}$/);
        assertFragmentationDoesNotMatter(bytes, whole);
    },
};

function assertPartAgrees(whole: ReturnType<typeof outcomeOf<ClientHello>>, part: Uint8Array): void {
    const early = outcomeOf(() => decodeClientHello(part));
    if ("error" in early) {
        assert.ok("error" in whole, "an error that more bytes would have cured");
        assert.equal(early.error.code, whole.error.code);
    } else if (early.value !== undefined) {
        assert.deepEqual(plainOutcome(early), plainOutcome(whole));
    }
}

/** RFC 8446 §5.1: where one record ends and the next begins means nothing. */
function assertFragmentationDoesNotMatter(bytes: Uint8Array, whole: ReturnType<typeof outcomeOf<ClientHello>>): void {
    const fragments: Uint8Array[] = [];
    for (let at = 0; at + 5 <= bytes.length && fragments.length < 100;) {
        const length = ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0);
        fragments.push(bytes.subarray(at + 5, at + 5 + length));
        at += 5 + length;
    }
    const message = concatBytes(...fragments).subarray(0, MAX_CLIENT_HELLO_SIZE);
    const size = 4 + (((message[1] ?? 0) << 16) | ((message[2] ?? 0) << 8) | (message[3] ?? 0));
    const half = Math.max(1, size >>> 1);
    const recut = concatBytes(record(message.subarray(0, half)), record(message.subarray(half, size)));
    assert.deepEqual(plainOutcome(outcomeOf(() => decodeClientHello(recut))), plainOutcome(whole));
}
