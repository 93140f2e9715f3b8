// What a TLS client offers, read from its first bytes before TLS itself sees them.  RFC 8446 §4.1.2, §5.1; RFC 5246 §7.4.1.2.
//   record:    type:8 = 22 | version:16 | length:16 | fragment          (the message may be spread over several records)
//   handshake: type:8 = 1 | length:24 | version:16 | random:32 | session_id<1> | cipher_suites<2> | compression<1> | extensions<2>
import { concatBytes, decodeLatin1, readU16, readU8 } from "@postern/bytes";
import { ByteCursor, numbers16 } from "./byte-cursor.ts";
import { ClientHelloError } from "./errors.ts";
import { cipherName, isGrease, versionName } from "./names.ts";

/** Octets of the largest ClientHello that is read; post-quantum key shares make about 1,800. */
export const MAX_CLIENT_HELLO_SIZE = 16_384;

const RECORD_HEADER = 5;
const MAX_RECORD = 16_384 + 256;
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const EXTENSION = { serverName: 0, alpn: 16, sessionTicket: 35, preSharedKey: 41, supportedVersions: 43 } as const;
const HOST_NAME = 0;
/** RFC 1035 §2.3.4, and only what can stand in a certificate. */
const SERVER_NAME = /^[A-Za-z0-9._*-]{1,255}$/;

export interface ClientHello {
    /** Newest first as the client lists them: `TLSv1.3`. */
    readonly versions: readonly string[];
    /** The name dialled; absent when an address was. */
    readonly serverName?: string;
    /** IANA names, `0x1234` for those not known here; GREASE values are left out. */
    readonly ciphers: readonly string[];
    readonly alpn: readonly string[];
    /** Sessions that the client would resume, as the server that gave them wrote them, first choice first.  Not for logs. */
    readonly tickets: readonly Uint8Array[];
}

/** The ClientHello at the start of `bytes`, `undefined` while it is incomplete.  Throws `ClientHelloError` for anything else. */
export function decodeClientHello(bytes: Uint8Array): ClientHello | undefined {
    const message = gatherHandshake(bytes);
    if (message === undefined) return undefined;
    const cursor = new ByteCursor(message);
    const legacyVersion = cursor.u16();
    cursor.take(32);
    cursor.vector8();
    const ciphers = numbers16(cursor.vector16());
    cursor.vector8();
    const extensions = cursor.remaining === 0 ? new Map<number, Uint8Array>() : readExtensions(cursor.vector16());
    const serverName = readServerName(extensions.get(EXTENSION.serverName));
    return {
        versions: readVersions(extensions.get(EXTENSION.supportedVersions), legacyVersion),
        ...(serverName === undefined ? {} : { serverName }),
        ciphers: ciphers.filter((cipher) => !isGrease(cipher)).map(cipherName),
        alpn: readAlpn(extensions.get(EXTENSION.alpn)),
        tickets: readTickets(extensions.get(EXTENSION.preSharedKey), extensions.get(EXTENSION.sessionTicket)),
    };
}

/** The body of the first handshake message, `undefined` while it is incomplete. */
function gatherHandshake(bytes: Uint8Array): Uint8Array | undefined {
    let message: Uint8Array = new Uint8Array(0);
    for (let at = 0; ;) {
        if (at < bytes.length && readU8(bytes, at) !== HANDSHAKE_RECORD)
            throw new ClientHelloError("the first record is not a TLS handshake");
        if (at + 1 < bytes.length && readU8(bytes, at + 1) !== 3)
            throw new ClientHelloError("the record's version is not TLS");
        if (at + RECORD_HEADER > bytes.length) return undefined;
        const length = readU16(bytes, at + 3);
        if (length === 0 || length > MAX_RECORD) throw new ClientHelloError(`a record of ${length} octets`);
        message = concatBytes(message, bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length));
        const complete = completeMessage(message);
        if (complete !== undefined) return complete;
        at += RECORD_HEADER + length;
        if (at > bytes.length) return undefined;
    }
}

function completeMessage(message: Uint8Array): Uint8Array | undefined {
    if (message.length > 0 && readU8(message, 0) !== CLIENT_HELLO)
        throw new ClientHelloError("the first handshake message is not a ClientHello");
    if (message.length < 4) return undefined;
    const size = (readU8(message, 1) << 16) | readU16(message, 2);
    if (size > MAX_CLIENT_HELLO_SIZE) throw new ClientHelloError(`a ClientHello of ${size} octets`);
    return message.length < 4 + size ? undefined : message.subarray(4, 4 + size);
}

function readExtensions(bytes: Uint8Array): Map<number, Uint8Array> {
    const cursor = new ByteCursor(bytes);
    const extensions = new Map<number, Uint8Array>();
    while (cursor.remaining > 0) extensions.set(cursor.u16(), cursor.vector16());
    return extensions;
}

/** RFC 6066 §3. */
function readServerName(extension: Uint8Array | undefined): string | undefined {
    if (extension === undefined) return undefined;
    const list = new ByteCursor(new ByteCursor(extension).vector16());
    while (list.remaining > 0) {
        const type = list.u8();
        const name = decodeLatin1(list.vector16());
        if (type === HOST_NAME && SERVER_NAME.test(name)) return name.toLowerCase();
    }
    return undefined;
}

/** RFC 8446 §4.2.1; without the extension the legacy field says it. */
function readVersions(extension: Uint8Array | undefined, legacy: number): string[] {
    const versions = extension === undefined ? [legacy] : numbers16(new ByteCursor(extension).vector8());
    return versions.filter((version) => !isGrease(version)).map(versionName);
}

/** RFC 7301 §3.1. */
function readAlpn(extension: Uint8Array | undefined): string[] {
    if (extension === undefined) return [];
    const list = new ByteCursor(new ByteCursor(extension).vector16());
    const protocols: string[] = [];
    while (list.remaining > 0) protocols.push(decodeLatin1(list.vector8()));
    return protocols.filter((protocol) => /^[!-~]{1,64}$/.test(protocol));
}

/** Those of TLS 1.3 (RFC 8446 §4.2.11) before that of TLS 1.2 (RFC 5077 §3.2), as the newer version is the one that is taken. */
function readTickets(preSharedKey: Uint8Array | undefined, sessionTicket: Uint8Array | undefined): Uint8Array[] {
    const tickets: Uint8Array[] = [];
    if (preSharedKey !== undefined) {
        const identities = new ByteCursor(new ByteCursor(preSharedKey).vector16());
        while (identities.remaining > 0) {
            tickets.push(identities.vector16());
            // obfuscated_ticket_age
            identities.take(4);
        }
    }
    // Empty: none, but one would be welcome.
    if (sessionTicket !== undefined && sessionTicket.length > 0) tickets.push(sessionTicket);
    return tickets;
}
