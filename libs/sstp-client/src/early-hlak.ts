// The key of the crypto binding before the server has answered, for clients that do not wait (sstpc).
import { decodeFrame, decodeMschapv2Response, hlakFromKeys, mppeKeys, ntPasswordHash, PROTOCOL } from "@postern/ppp";
import { KEYLESS_HLAK } from "@postern/sstp";
import { pppDigests } from "./node-digests.ts";

const CHAP_RESPONSE = 2;
const PAP_REQUEST = 1;
/** Code, identifier, length, value size: RFC 1994 §4.1. */
const CHAP_VALUE_AT = 5;
const RESPONSE_VALUE_SIZE = 49;

/** The HLAK that follows from a PPP frame with our credentials in it; `undefined` for every other frame. */
export function earlyHlak(frame: Uint8Array, password: string): Uint8Array | undefined {
    const { protocol, payload } = decodeFrame(frame);
    if (protocol === PROTOCOL.pap && payload[0] === PAP_REQUEST) return KEYLESS_HLAK;
    if (protocol !== PROTOCOL.chap || payload[0] !== CHAP_RESPONSE) return undefined;
    const value = payload.subarray(CHAP_VALUE_AT, CHAP_VALUE_AT + RESPONSE_VALUE_SIZE);
    const { ntResponse } = decodeMschapv2Response(value);
    const keys = mppeKeys(pppDigests, ntPasswordHash(password), ntResponse);
    return hlakFromKeys(keys.serverReceive, keys.serverSend);
}
