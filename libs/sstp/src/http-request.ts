// The HTTP request that opens an SSTP connection, [MS-SSTP] 3.2.4.1 and 4.1, and what else arrives on that port.
//   SSTP_DUPLEX_POST /sra_{BA195980-CD49-458b-9E23-C84EE0ADCD75}/[?tenantid=x] HTTP/1.1
import { encodeLatin1 } from "@postern/bytes";
import { HttpError } from "./errors.ts";
import type { HttpHead } from "./http-head.ts";

const METHOD = "SSTP_DUPLEX_POST";
const PATH = "/sra_{BA195980-CD49-458b-9E23-C84EE0ADCD75}/";
/** 2^64-1: "as long as it takes".  Compared as text, for no number holds it. */
export const ENDLESS_CONTENT_LENGTH = "18446744073709551615";

/** What a request head asks for. */
export type SstpRequest =
    | {
          readonly kind: "sstp";
          /** Host field as sent: `name`, or `name:port`. */
          readonly host: string;
          /** SSTPCORRELATIONID in lower case without braces, when it is a GUID. */
          readonly correlationId: string | undefined;
          /** `tenantid` of the query, when it is a name of letters, digits, `.`, `_` and `-`. */
          readonly tenantId: string | undefined;
      }
    /** A load balancer asks on the SSTP URI whether this server is up. */
    | { readonly kind: "probe"; readonly method: "HEAD" | "GET" }
    /** Neither; `status` is the answer. */
    | { readonly kind: "other"; readonly status: 404 | 501 };

/** Tells apart what a head asks for.  Throws `HttpError` 400 or 505 for SSTP requests that are malformed. */
export function interpretRequest({ startLine, fields }: HttpHead): SstpRequest {
    const { method, target, version } = REQUEST_LINE.exec(startLine)?.groups ?? {};
    if (method === undefined || target === undefined || version === undefined) {
        throw new HttpError(400, "the first line is not an HTTP request line");
    }
    const [path = "", ...queries] = target.split("?");
    const query = queries.join("?");
    const isSstpPath = normalise(path) === SSTP_PATH;
    if (method === "HEAD" || method === "GET")
        return isSstpPath ? { kind: "probe", method } : { kind: "other", status: 404 };
    if (method !== METHOD) return { kind: "other", status: 501 };
    if (!isSstpPath) return { kind: "other", status: 404 };
    if (version !== "1.1") throw new HttpError(505, `HTTP/${version}`);
    const host = fields.get("host");
    if (host === undefined || !HOST.test(host)) throw new HttpError(400, "no usable Host field");
    if (fields.get("content-length") !== ENDLESS_CONTENT_LENGTH) {
        throw new HttpError(400, `Content-Length is not ${ENDLESS_CONTENT_LENGTH}`);
    }
    return {
        kind: "sstp",
        host,
        correlationId: GUID.exec(fields.get("sstpcorrelationid") ?? "")?.groups?.["id"]?.toLowerCase(),
        tenantId: TENANT.exec(query)?.groups?.["id"],
    };
}

const REQUEST_LINE = /^(?<method>[!#$%&'*+\-.^_`|~0-9A-Za-z]+) (?<target>[!-~]+) HTTP\/(?<version>\d\.\d)$/;
const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const GUID = /^\{?(?<id>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}?$/;
const TENANT = /^(?:[^&]*&)*?tenantid=(?<id>[A-Za-z0-9._-]{1,64})(?:&|$)/i;

/** Browsers and some tools send the braces percent-encoded. */
const normalise = (path: string): string => path.replaceAll(/%7b/gi, "{").replaceAll(/%7d/gi, "}").toLowerCase();

const SSTP_PATH = normalise(PATH);

/** How a client words its request; clients differ in the order of the fields and in the braces. */
export interface SstpRequestOptions {
    readonly host: string;
    /** GUID, with or without braces: sent as given. */
    readonly correlationId: string;
    /** Default: as Windows orders them. */
    readonly fieldOrder?: readonly ("SSTPCORRELATIONID" | "Content-Length" | "Host")[];
    /** Query of the URI without its question mark. */
    readonly query?: string;
    /** Default "1.1". */
    readonly version?: string;
}

/** The head with which a client asks for SSTP. */
export function encodeSstpRequest(options: SstpRequestOptions): Uint8Array<ArrayBuffer> {
    const { fieldOrder = ["SSTPCORRELATIONID", "Content-Length", "Host"], query, version = "1.1" } = options;
    const values = {
        SSTPCORRELATIONID: options.correlationId,
        "Content-Length": ENDLESS_CONTENT_LENGTH,
        Host: options.host,
    } as const;
    const target = query === undefined ? PATH : `${PATH}?${query}`;
    const lines = [`${METHOD} ${target} HTTP/${version}`, ...fieldOrder.map((name) => `${name}: ${values[name]}`)];
    return encodeLatin1(`${lines.join("\r\n")}\r\n\r\n`);
}

/** The head with which a load balancer asks whether a server is up; the answer is read by `interpretResponse`. */
export function encodeProbeRequest(host: string): Uint8Array<ArrayBuffer> {
    return encodeLatin1(`HEAD ${PATH} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
}
