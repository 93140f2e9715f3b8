// EAP and EAP-MSCHAPv2 by themselves.  The first octet says whose packet it is.
import assert from "node:assert/strict";
import { concatBytes, encodeLatin1 } from "@postern/bytes";
import {
    decodeEapPacket,
    decodeEapTls,
    decodeIdentity,
    decodeMschapv2Answer,
    decodeMschapv2Request,
    decodeNak,
    EAP_CODE,
    EAP_TYPE,
    encodeEapPacket,
    encodeEapTls,
    encodeMschapv2Answer,
    encodeMschapv2Request,
    encodeNak,
} from "@postern/eap";
import type { FuzzTarget } from "../fuzz-target.ts";
import { outcomeOf, valueOf } from "../properties.ts";

const NAME = encodeLatin1("postern");
const CHALLENGE = new Uint8Array(16).fill(0x21);
const RESPONSE = new Uint8Array(49).fill(0x31);

const READERS: readonly ((data: Uint8Array) => void)[] = [readRequest, readAnswer, readNames, readTls];

/** The packet is as long as it says, and says the same again; then its data is read as the method's. */
function readPacket(reader: number, bytes: Uint8Array): void {
    const packet = valueOf(outcomeOf(() => decodeEapPacket(bytes)));
    if (packet === undefined) return;
    const again = encodeEapPacket(packet);
    assert.deepEqual(Buffer.from(again), Buffer.from(bytes.subarray(0, again.length)));
    if ("data" in packet) READERS[reader % READERS.length]?.(packet.data);
}

function readRequest(data: Uint8Array): void {
    const request = valueOf(outcomeOf(() => decodeMschapv2Request(data)));
    if (request === undefined) return;
    assert.deepEqual(Buffer.from(encodeMschapv2Request(request)), Buffer.from(data));
}

function readAnswer(data: Uint8Array): void {
    const answer = valueOf(outcomeOf(() => decodeMschapv2Answer(data)));
    if (answer === undefined) return;
    const again = encodeMschapv2Answer(answer);
    // The peer's Success and Failure are one octet, whatever it sends behind it.
    assert.deepEqual(Buffer.from(again), Buffer.from(answer.op === "response" ? data : data.subarray(0, 1)));
}

function readNames(data: Uint8Array): void {
    const name = decodeIdentity(data);
    assert.ok(!name.includes(0) && name.length <= data.length, "options in the name");
    assert.deepEqual(decodeNak(encodeNak(decodeNak(data))), decodeNak(data));
}

/** Two bits of the flags are reserved, and not written. */
function readTls(data: Uint8Array): void {
    const packet = valueOf(outcomeOf(() => decodeEapTls(data)));
    if (packet === undefined) return;
    const again = encodeEapTls(packet);
    assert.deepEqual(Buffer.from(again.subarray(1)), Buffer.from(data.subarray(1)));
    assert.equal(again[0], (data[0] ?? 0) & ~0x18);
}

function* seeds(): Iterable<Uint8Array> {
    const typed = (reader: number, code: 1 | 2, type: number, data: Uint8Array): Uint8Array =>
        concatBytes(Uint8Array.of(reader), encodeEapPacket({ code, identifier: 7, type, data }));
    const { request, response } = EAP_CODE;
    const challenge = encodeMschapv2Request({ op: "challenge", id: 8, value: CHALLENGE, name: NAME });
    const failure = encodeMschapv2Request({ op: "failure", id: 8, message: "E=691 R=0 C=00 V=3 M=no" });
    const answer = encodeMschapv2Answer({ op: "response", id: 8, value: RESPONSE, name: encodeLatin1("user") });
    yield typed(0, request, EAP_TYPE.mschapv2, challenge);
    yield typed(0, request, EAP_TYPE.mschapv2, failure);
    yield typed(1, response, EAP_TYPE.mschapv2, answer);
    yield typed(1, response, EAP_TYPE.mschapv2, encodeMschapv2Answer({ op: "success" }));
    yield typed(2, response, EAP_TYPE.identity, encodeLatin1("user\0networkid=x"));
    yield typed(2, response, EAP_TYPE.nak, encodeNak([EAP_TYPE.mschapv2, 13]));
    const fragment = { start: false, more: true, version: 0, size: 0x1000, fragment: RESPONSE };
    yield typed(3, request, EAP_TYPE.peap, encodeEapTls(fragment));
    yield typed(3, request, EAP_TYPE.peap, Uint8Array.of(0x20));
    yield concatBytes(Uint8Array.of(0), encodeEapPacket({ code: EAP_CODE.success, identifier: 9 }));
}

export const target: FuzzTarget = {
    maxLength: 300,
    seeds,
    run: (bytes) => readPacket(bytes[0] ?? 0, bytes.subarray(1)),
};
