import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeLatin1, encodeLatin1 } from "@postern/bytes";
import {
    encodeSstpRequest,
    HttpError,
    HttpHeadReader,
    interpretRequest,
    type SstpRequest,
    type SstpRequestOptions,
} from "@postern/sstp";

const GUID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
const URI = "/sra_{BA195980-CD49-458b-9E23-C84EE0ADCD75}/";
const ENDLESS = "18446744073709551615";

function interpret(text: string): SstpRequest {
    const head = new HttpHeadReader().push(encodeLatin1(text));
    assert.ok(head !== undefined, "incomplete");
    return interpretRequest(head);
}

interface Parts {
    readonly line?: string;
    readonly fields?: readonly string[];
}

const FIELDS = [`SSTPCORRELATIONID: {${GUID.toUpperCase()}}`, `Content-Length: ${ENDLESS}`, "Host: vpn.example.com"];

const request = ({ line = `SSTP_DUPLEX_POST ${URI} HTTP/1.1`, fields = FIELDS }: Parts = {}): string =>
    `${[line, ...fields].join("\r\n")}\r\n\r\n`;

const ACCEPTED: SstpRequest = { kind: "sstp", host: "vpn.example.com", correlationId: GUID, tenantId: undefined };

function statusOf(parts: Parts): number {
    try {
        interpret(request(parts));
    } catch (error) {
        assert.ok(error instanceof HttpError);
        return error.status;
    }
    return assert.fail("accepted");
}

describe("the SSTP request", () => {
    test("as Windows sends it", () => {
        assert.deepEqual(interpret(request()), ACCEPTED);
    });

    test("as sstpc sends it: another order, no braces", () => {
        const fields = ["Host: vpn.example.com", `Content-Length: ${ENDLESS}`, `SSTPCORRELATIONID: ${GUID}`];
        assert.deepEqual(interpret(request({ fields })), ACCEPTED);
    });

    test("field names in any case; a cookie does not matter", () => {
        const upper = FIELDS.map((field) => field.replace(/^[^:]+/, (name) => name.toUpperCase()));
        const lower = FIELDS.map((field) => field.replace(/^[^:]+/, (name) => name.toLowerCase()));
        assert.deepEqual(interpret(request({ fields: upper })), ACCEPTED);
        assert.deepEqual(interpret(request({ fields: [...lower, "cookie: ClientHTTPCookie=1"] })), ACCEPTED);
    });

    test("braces percent-encoded, the path in another case", () => {
        for (const path of [
            "/sra_%7BBA195980-CD49-458b-9E23-C84EE0ADCD75%7D/",
            "/sra_%7bBA195980-CD49-458b-9E23-C84EE0ADCD75}/",
            URI.toUpperCase(),
            URI.toLowerCase(),
        ]) {
            assert.deepEqual(interpret(request({ line: `SSTP_DUPLEX_POST ${path} HTTP/1.1` })), ACCEPTED, path);
        }
    });

    test("a tenant in the query; another query is ignored", () => {
        const tenantOf = (query: string): string | undefined => {
            const asked = interpret(request({ line: `SSTP_DUPLEX_POST ${URI}?${query} HTTP/1.1` }));
            assert.ok(asked.kind === "sstp");
            return asked.tenantId;
        };
        assert.equal(tenantOf("tenantid=blue-1.example"), "blue-1.example");
        assert.equal(tenantOf("TenantId=Blue"), "Blue");
        assert.equal(tenantOf("a=b&tenantid=blue&c"), "blue");
        for (const query of ["", "a=b", "tenantid=", "xtenantid=a", "tenantid=a%20b", "tenantid=a/b", "tenantid=a?b"]) {
            assert.equal(tenantOf(query), undefined, query);
        }
        assert.equal(tenantOf(`tenantid=${"a".repeat(64)}`)?.length, 64);
        assert.equal(tenantOf(`tenantid=${"a".repeat(65)}`), undefined);
    });

    test("a correlation id that is no GUID is not one", () => {
        for (const value of ["", "{}", `{${GUID}`.slice(0, -1), "x".repeat(36), `${GUID}, ${GUID}`]) {
            const fields = [`SSTPCORRELATIONID: ${value}`, ...FIELDS.slice(1)];
            assert.deepEqual(interpret(request({ fields })), { ...ACCEPTED, correlationId: undefined }, value);
        }
        assert.deepEqual(interpret(request({ fields: FIELDS.slice(1) })), { ...ACCEPTED, correlationId: undefined });
    });

    test("hosts", () => {
        const hostOf = (host: string) => interpret(request({ fields: [...FIELDS.slice(0, 2), `Host: ${host}`] }));
        for (const host of ["vpn.example.com:4443", "192.0.2.1", "[2001:db8::1]:443", "vpn_1"]) {
            assert.deepEqual(hostOf(host), { ...ACCEPTED, host });
        }
        for (const host of ["", "a b", "a/b", "a:b", "a, b", "[::1", "a:123456"]) {
            assert.throws(() => hostOf(host), { code: "HTTP_BAD_REQUEST" }, host);
        }
    });
});

describe("refusals", () => {
    test("SSTP over another version: 505", () => {
        assert.equal(statusOf({ line: `SSTP_DUPLEX_POST ${URI} HTTP/1.0` }), 505);
        assert.equal(statusOf({ line: `SSTP_DUPLEX_POST ${URI} HTTP/2.0` }), 505);
    });

    test("no host, or a length that is not endless: 400", () => {
        assert.equal(statusOf({ fields: FIELDS.slice(0, 2) }), 400);
        assert.equal(statusOf({ fields: [FIELDS[0] ?? "", FIELDS[2] ?? ""] }), 400);
        for (const length of ["0", "18446744073709551616", `${ENDLESS}, ${ENDLESS}`, "-1", "1e19"]) {
            assert.equal(statusOf({ fields: [`Content-Length: ${length}`, "Host: a"] }), 400, length);
        }
    });

    test("a first line that is not a request line: 400", () => {
        for (const line of [
            "HELLO",
            `GET ${URI}`,
            "GET  / HTTP/1.1",
            "GET / HTTP/1",
            "GET / http/1.1",
            "G\u00cbT / HTTP/1.1",
        ]) {
            assert.equal(statusOf({ line }), 400, line);
        }
    });

    test("another URI: 404; another method: 501", () => {
        const kindOf = (line: string): unknown => interpret(request({ line }));
        assert.deepEqual(kindOf("SSTP_DUPLEX_POST / HTTP/1.1"), { kind: "other", status: 404 });
        assert.deepEqual(kindOf(`SSTP_DUPLEX_POST ${URI}x HTTP/1.1`), { kind: "other", status: 404 });
        assert.deepEqual(kindOf("GET / HTTP/1.1"), { kind: "other", status: 404 });
        assert.deepEqual(kindOf("HEAD /favicon.ico HTTP/1.0"), { kind: "other", status: 404 });
        assert.deepEqual(kindOf(`POST ${URI} HTTP/1.1`), { kind: "other", status: 501 });
        assert.deepEqual(kindOf("OPTIONS * HTTP/1.0"), { kind: "other", status: 501 });
        assert.deepEqual(
            kindOf(`sstp_duplex_post ${URI} HTTP/1.1`),
            { kind: "other", status: 501 },
            "methods have case",
        );
    });
});

test("probes: HEAD and GET on the SSTP URI, of any version, without any field", () => {
    for (const method of ["HEAD", "GET"] as const) {
        for (const version of ["1.0", "1.1"]) {
            const line = `${method} ${URI} HTTP/${version}`;
            assert.deepEqual(interpret(request({ line, fields: [] })), { kind: "probe", method });
        }
        assert.deepEqual(interpret(request({ line: `${method} ${URI}?x=1 HTTP/1.1` })), { kind: "probe", method });
    }
});

describe("a client's request", () => {
    const options: SstpRequestOptions = { host: "vpn.example.com", correlationId: `{${GUID.toUpperCase()}}` };

    test("is byte for byte that of Windows", () => {
        assert.equal(decodeLatin1(encodeSstpRequest(options)), request());
    });

    test("can be worded as other clients do", () => {
        const sstpc = encodeSstpRequest({
            host: "vpn.example.com",
            correlationId: GUID,
            fieldOrder: ["Host", "Content-Length", "SSTPCORRELATIONID"],
            query: "tenantid=a",
        });
        assert.equal(
            decodeLatin1(sstpc),
            request({
                line: `SSTP_DUPLEX_POST ${URI}?tenantid=a HTTP/1.1`,
                fields: ["Host: vpn.example.com", `Content-Length: ${ENDLESS}`, `SSTPCORRELATIONID: ${GUID}`],
            }),
        );
        assert.deepEqual(interpret(decodeLatin1(sstpc)), { ...ACCEPTED, tenantId: "a" });
        assert.match(decodeLatin1(encodeSstpRequest({ ...options, version: "1.0" })), / HTTP\/1\.0\r\n/);
    });
});
