export { ProxyError } from "./errors.ts";
export { decodeProxyHeader, type DecodedProxyHeader } from "./decode.ts";
export { type ProxyEndpoint, type ProxyHeader, type ProxyTlv, TLV, tlvValue } from "./header.ts";
export { MAX_HEADER_SIZE } from "./limits.ts";
export { encodeProxyV1, encodeProxyV2 } from "./encode.ts";
