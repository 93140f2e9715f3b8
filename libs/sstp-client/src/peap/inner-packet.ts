// What PEAP carries inside of TLS, [MS-PEAP] 3.1.5.6: EAP without code, identifier and length.  Results (type 33) are whole
// packets, and some servers send whole ones for everything.
import { readU16 } from "@postern/bytes";
import { decodeEapPacket, EAP_CODE, EapError, type EapExchange, encodeEapPacket } from "@postern/eap";

const HEADER_SIZE = 4;
/** EAP extensions, [MS-PEAP] 2.2.8.1. */
export const RESULT_TYPE = 33;
/** Mandatory Result TLV, length 2, [MS-PEAP] 2.2.8.1.2. */
const RESULT_TLV = [0x80, 0x03, 0x00, 0x02, 0x00] as const;
const STATUS = { success: 1, failure: 2 } as const;

/** A request of the server; `identifier` is that of the packet outside, for the one that has none of its own. */
export function decodeInner(bytes: Uint8Array, identifier: number): EapExchange {
    const [type] = bytes;
    if (type === undefined) throw new EapError("EAP_BAD_METHOD", "PEAP with nothing inside");
    const isWhole = bytes.length > HEADER_SIZE && type === EAP_CODE.request && readU16(bytes, 2) === bytes.length;
    if (!isWhole) return { code: EAP_CODE.request, identifier, type, data: bytes.subarray(1) };
    const packet = decodeEapPacket(bytes);
    if (packet.code !== EAP_CODE.request) throw new EapError("EAP_BAD_METHOD", `code ${packet.code} inside of PEAP`);
    return packet;
}

/** A Response as it goes inside. */
export const compressInner = (packet: Uint8Array): Uint8Array => packet.subarray(HEADER_SIZE);

/** Whether the server's result says that the login inside is accepted. */
export const isSuccess = (data: Uint8Array): boolean =>
    RESULT_TLV.every((octet, at) => data[at] === octet) && data[RESULT_TLV.length] === STATUS.success;

/** The client's agreement to the server's result, or its disagreement. */
export const encodeResult = (identifier: number, agreed: boolean): Uint8Array =>
    encodeEapPacket({
        code: EAP_CODE.response,
        identifier,
        type: RESULT_TYPE,
        data: Uint8Array.of(...RESULT_TLV, agreed ? STATUS.success : STATUS.failure),
    });
