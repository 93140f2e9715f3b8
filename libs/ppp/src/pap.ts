// Password Authentication Protocol, RFC 1334 §2.2: the data of its packets.
//   Authenticate-Request (1)        id length:8 | id | password length:8 | password
//   Authenticate-Ack (2), -Nak (3)  message length:8 | message
import { concatBytes, copyBytes, encodeUtf8, readU8 } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { PppError } from "./errors.ts";

export const PAP_CODE = { authenticateRequest: 1, authenticateAck: 2, authenticateNak: 3 } as const;

const MAX_FIELD = 0xff;

export interface PapCredentials {
    readonly user: Uint8Array;
    readonly password: Uint8Array;
}

/** Copies: the packet's buffer is used again.  Bytes after the password are ignored. */
export function decodePapRequest(data: Uint8Array): PapCredentials {
    const user = field(data, 0);
    return { user, password: field(data, 1 + user.length) };
}

function field(data: Uint8Array, at: number): Uint8Array {
    if (at >= data.length) throw new PppError("PPP_BAD_AUTHENTICATION", "PAP request ends before a length");
    const length = readU8(data, at);
    if (at + 1 + length > data.length) throw new PppError("PPP_BAD_AUTHENTICATION", `PAP field of ${length} bytes`);
    return copyBytes(data, at + 1, at + 1 + length);
}

export function encodePapRequest({ user, password }: PapCredentials): Uint8Array {
    if (user.length > MAX_FIELD || password.length > MAX_FIELD) throw new InvariantError("PAP field over 255 bytes");
    return concatBytes(Uint8Array.of(user.length), user, Uint8Array.of(password.length), password);
}

/** Exactly as long as its length byte says: Open SSTP insists.  Cut to 255 bytes. */
export function encodePapMessage(text: string): Uint8Array {
    const message = encodeUtf8(text).subarray(0, MAX_FIELD);
    return concatBytes(Uint8Array.of(message.length), message);
}

/** The message; empty where the length byte is missing, which some servers leave out. */
export function decodePapMessage(data: Uint8Array): Uint8Array {
    return data.length === 0 ? new Uint8Array(0) : field(data, 0);
}
