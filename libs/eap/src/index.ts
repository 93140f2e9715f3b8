export { EAP_CODE, EAP_TYPE } from "./constants.ts";
export { EapError } from "./errors.ts";
export { decodeIdentity } from "./identity.ts";
export {
    decodeMschapv2Answer,
    decodeMschapv2Request,
    encodeMschapv2Answer,
    encodeMschapv2Request,
    type Mschapv2Answer,
    type Mschapv2Request,
} from "./mschapv2-packet.ts";
export { decodeNak, encodeNak } from "./nak.ts";
export { decodeEapPacket, encodeEapPacket, type EapExchange, type EapPacket, type EapResult } from "./packet.ts";
export { decodeEapTls, type EapTlsData, encodeEapTls } from "./tls-packet.ts";
