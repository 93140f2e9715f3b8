// PROXY protocol, either version, at the start of a connection.  Three outcomes: a header, `undefined` for more, a throw.
import { decodeV1, V1_PREFIX } from "./version-1.ts";
import { decodeV2, V2_SIGNATURE } from "./version-2.ts";
import { ProxyError } from "./errors.ts";
import type { ProxyHeader } from "./header.ts";

export interface DecodedProxyHeader {
    readonly header: ProxyHeader;
    /** Octets that the header took; what follows belongs to the client. */
    readonly size: number;
}

/** The header at the start of `bytes`, `undefined` while it is incomplete.  Throws `ProxyError` as soon as it cannot become one. */
export function decodeProxyHeader(bytes: Uint8Array): DecodedProxyHeader | undefined {
    if (bytes.length === 0) return undefined;
    if (startsLike(bytes, V2_SIGNATURE)) return decodeV2(bytes);
    if (startsLike(bytes, V1_PREFIX)) return decodeV1(bytes);
    throw new ProxyError("the connection does not begin with a PROXY protocol header (v1 or v2)");
}

/** As far as both go, they agree. */
const startsLike = (bytes: Uint8Array, prefix: Uint8Array): boolean =>
    prefix.subarray(0, bytes.length).every((octet, at) => octet === bytes[at]);
