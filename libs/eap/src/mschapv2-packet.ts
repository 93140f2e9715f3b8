// EAP-MSCHAPv2, draft-kamath-pppext-eap-mschapv2-02 §2: data of the packets of type 26.
//   Challenge (1), Response (2)   op:8 | id:8 | ms-length:16 (all of this) | value size:8 = 16, 49 | value | name
//   Success (3), Failure (4)      from the server: op:8 | id:8 | ms-length:16 | message     from the peer: op:8
import { concatBytes, copyBytes, decodeLatin1, encodeLatin1, readU16, readU8, writeU16 } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { EapError } from "./errors.ts";

const OP = { challenge: 1, response: 2, success: 3, failure: 4 } as const;

const HEADER_SIZE = 4;
const CHALLENGE_SIZE = 16;
const RESPONSE_SIZE = 49;

interface ValuePacket {
    /** Counts the server's challenges; a response has that of its challenge. */
    readonly id: number;
    /** 16 bytes in a challenge; in a response 49, as in RFC 2759 §4. */
    readonly value: Uint8Array;
    /** The server's own, or that of the user whose password was used. */
    readonly name: Uint8Array;
}

export type Mschapv2Request =
    | ({ readonly op: "challenge" } & ValuePacket)
    /** The texts of RFC 2759 §5 and §6: `S=…`, `E=…`. */
    | { readonly op: "success" | "failure"; readonly id: number; readonly message: string };

export type Mschapv2Answer =
    | ({ readonly op: "response" } & ValuePacket)
    /** The peer has read the server's, and agrees. */
    | { readonly op: "success" | "failure" };

/** What a peer sent.  Throws an EapError. */
export function decodeMschapv2Answer(data: Uint8Array): Mschapv2Answer {
    const op = opOf(data);
    if (op === OP.response) return { op: "response", ...decodeValue(data, RESPONSE_SIZE) };
    // Some peers add octets that the draft does not have.
    if (op === OP.success) return { op: "success" };
    if (op === OP.failure) return { op: "failure" };
    throw new EapError("EAP_BAD_METHOD", `EAP-MSCHAPv2 operation ${op} of a peer`);
}

/** What a server sent.  Throws an EapError. */
export function decodeMschapv2Request(data: Uint8Array): Mschapv2Request {
    const op = opOf(data);
    if (op === OP.challenge) return { op: "challenge", ...decodeValue(data, CHALLENGE_SIZE) };
    if (op !== OP.success && op !== OP.failure) {
        throw new EapError("EAP_BAD_METHOD", `EAP-MSCHAPv2 operation ${op} of a server`);
    }
    const message = decodeLatin1(data.subarray(HEADER_SIZE, checkedLength(data)));
    return { op: op === OP.success ? "success" : "failure", id: readU8(data, 1), message };
}

export function encodeMschapv2Request(request: Mschapv2Request): Uint8Array {
    if (request.op !== "challenge") return encode(OP[request.op], request.id, encodeLatin1(request.message));
    return encode(OP.challenge, request.id, encodeValue(request, CHALLENGE_SIZE));
}

export function encodeMschapv2Answer(answer: Mschapv2Answer): Uint8Array {
    if (answer.op !== "response") return Uint8Array.of(OP[answer.op]);
    return encode(OP.response, answer.id, encodeValue(answer, RESPONSE_SIZE));
}

function opOf(data: Uint8Array): number {
    if (data.length === 0) throw new EapError("EAP_BAD_METHOD", "EAP-MSCHAPv2 without an operation");
    return readU8(data, 0);
}

function checkedLength(data: Uint8Array): number {
    const length = data.length < HEADER_SIZE ? 0 : readU16(data, 2);
    if (length !== data.length) {
        throw new EapError("EAP_BAD_METHOD", `MS-Length ${length} in ${data.length} bytes of EAP-MSCHAPv2`);
    }
    return length;
}

/** Copies: the packet's buffer is used again. */
function decodeValue(data: Uint8Array, size: number): ValuePacket {
    const nameAt = HEADER_SIZE + 1 + size;
    if (checkedLength(data) < nameAt || readU8(data, HEADER_SIZE) !== size) {
        throw new EapError("EAP_BAD_METHOD", `EAP-MSCHAPv2 without a value of ${size} bytes`);
    }
    return { id: readU8(data, 1), value: copyBytes(data, HEADER_SIZE + 1, nameAt), name: copyBytes(data, nameAt) };
}

function encodeValue({ value, name }: ValuePacket, size: number): Uint8Array {
    if (value.length !== size) throw new InvariantError(`EAP-MSCHAPv2 value of ${value.length} bytes`);
    return concatBytes(Uint8Array.of(size), value, name);
}

function encode(op: number, id: number, rest: Uint8Array): Uint8Array {
    const data = concatBytes(new Uint8Array(HEADER_SIZE), rest);
    data[0] = op;
    data[1] = id;
    writeU16(data, 2, data.length);
    return data;
}
