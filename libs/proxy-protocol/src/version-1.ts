// PROXY protocol version 1, §2.1: one line of at most 107 octets.
//   "PROXY" SP ("TCP4" | "TCP6") SP source SP destination SP source-port SP destination-port CR LF
//   "PROXY UNKNOWN" anything CR LF
import { decodeLatin1, encodeLatin1 } from "@postern/bytes";
import { parseAddress } from "./addresses.ts";
import { ProxyError } from "./errors.ts";
import type { ProxyEndpoint, ProxyHeader } from "./header.ts";

const MAX_LINE = 107;
export const V1_PREFIX = encodeLatin1("PROXY ");

/** The header, `undefined` while its line is incomplete. */
export function decodeV1(bytes: Uint8Array): { header: ProxyHeader; size: number } | undefined {
    const end = bytes.subarray(0, MAX_LINE).indexOf(0x0a);
    if (end < 0) {
        if (bytes.length >= MAX_LINE) throw new ProxyError(`a v1 header is at most ${MAX_LINE} octets`);
        return undefined;
    }
    const line = decodeLatin1(bytes.subarray(0, end + 1));
    if (!line.endsWith("\r\n")) throw new ProxyError("a v1 header ends with CR LF");
    return { header: parseLine(line.slice(0, -2)), size: end + 1 };
}

function parseLine(line: string): ProxyHeader {
    const [, family, source = "", destination = "", sourcePort = "", destinationPort = "", ...rest] = line.split(" ");
    if (family === "UNKNOWN") return { command: "proxy", tlvs: [] };
    if ((family !== "TCP4" && family !== "TCP6") || rest.length > 0)
        throw new ProxyError("v1: expected TCP4, TCP6 or UNKNOWN and four fields");
    const version = family === "TCP4" ? 4 : 6;
    return {
        command: "proxy",
        source: endpoint(version, source, sourcePort),
        destination: endpoint(version, destination, destinationPort),
        tlvs: [],
    };
}

function endpoint(version: 4 | 6, text: string, port: string): ProxyEndpoint {
    const address = parseAddress(version, text);
    if (address === undefined) throw new ProxyError(`v1: not an IPv${version} address`);
    if (!/^(?:0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65_535) throw new ProxyError("v1: not a port number");
    return { address, port: Number(port) };
}
