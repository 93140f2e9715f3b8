import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeLatin1 } from "@postern/bytes";
import { encodeProxyV1, encodeProxyV2 } from "@postern/proxy-protocol";
import { ProxySources } from "../src/proxy-sources.ts";
import { acceptConnection } from "./accepted-connection.ts";

const TRUSTED = ["127.0.0.0/8", "::1/128"];
const PATIENCE = 10_000;
const SOURCE = { address: "198.51.100.7", port: 4711 };
const DESTINATION = { address: "203.0.113.1", port: 443 };
const HEADER = { command: "proxy", source: SOURCE, destination: DESTINATION, tlvs: [] } as const;
const BEHIND = encodeLatin1("what the client says");

/** What comes of a connection from loopback that begins with `bytes`, which is ended after them if `ends`. */
async function introduced(networks: readonly string[], bytes: Uint8Array, { timeout = PATIENCE, ends = false } = {}) {
    using path = await acceptConnection();
    path.client.write(bytes);
    if (ends) path.client.end();
    const outcome = await new ProxySources(networks, timeout).introduce(path.opening);
    const { localPort: port } = path.client;
    return { outcome, left: Uint8Array.from(path.opening.bytes), peer: { address: "127.0.0.1", port } };
}

for (const [version, bytes] of [
    ["1", encodeProxyV1(HEADER)],
    ["2", encodeProxyV2(HEADER)],
] as const) {
    test(`a trusted balancer says in version ${version} who the client is, and what is behind the header is the client's`, async () => {
        const { outcome, left } = await introduced(TRUSTED, Buffer.concat([bytes, BEHIND]));
        assert.deepEqual(outcome, { client: SOURCE, local: DESTINATION, kind: "client" });
        assert.deepEqual(left, BEHIND);
    });

    test(`a header of version ${version} may come an octet at a time`, async () => {
        using path = await acceptConnection();
        const outcome = new ProxySources(TRUSTED, PATIENCE).introduce(path.opening);
        for (const octet of bytes) await new Promise((resolve) => path.client.write(Uint8Array.of(octet), resolve));
        assert.deepEqual(await outcome, { client: SOURCE, local: DESTINATION, kind: "client" });
    });
}

test("a balancer that names nobody speaks for itself", async () => {
    const local = encodeProxyV2({ command: "local", tlvs: [] });
    const check = await introduced(TRUSTED, local);
    assert.ok(typeof check.outcome === "object");
    assert.deepEqual([check.outcome.client, check.outcome.kind], [check.peer, "health-check"]);
    const unknown = await introduced(TRUSTED, encodeLatin1("PROXY UNKNOWN\r\n"));
    assert.ok(typeof unknown.outcome === "object");
    assert.deepEqual([unknown.outcome.client, unknown.outcome.kind], [unknown.peer, "client"]);
});

test("a stranger's header is not read: it is what the client says", async () => {
    const bytes = encodeProxyV2(HEADER);
    using path = await acceptConnection();
    path.client.write(bytes);
    const outcome = await new ProxySources(["192.0.2.0/24", "::1/128"], PATIENCE).introduce(path.opening);
    assert.equal(await path.opening.more(PATIENCE), "more");
    assert.ok(typeof outcome === "object");
    assert.deepEqual(outcome.client, { address: "127.0.0.1", port: path.client.localPort });
    assert.deepEqual(outcome.local, { address: "127.0.0.1", port: path.client.remotePort });
    assert.deepEqual(Uint8Array.from(path.opening.bytes), bytes);
});

test("a trusted source without a header is refused: malformed, cut short, or never ending", async () => {
    const refused = async (text: string, options: Parameters<typeof introduced>[2]): Promise<unknown> =>
        (await introduced(TRUSTED, encodeLatin1(text), options)).outcome;
    assert.equal(await refused("GET / HTTP/1.1\r\n", {}), "proxy-header-invalid");
    assert.equal(await refused(`PROXY ${"x".repeat(200)}`, {}), "proxy-header-invalid");
    assert.equal(await refused("PROXY TCP4", { ends: true }), "proxy-header-missing");
    assert.equal(await refused("PROXY TCP4", { timeout: 50 }), "proxy-header-missing");
});

test("the time for a header is counted once, however often a piece of it comes", async () => {
    using path = await acceptConnection();
    const drip = setInterval(() => path.client.write("x"), 20);
    path.client.write("PROXY TCP4 ");
    const outcome = await new ProxySources(TRUSTED, 200).introduce(path.opening);
    clearInterval(drip);
    assert.equal(outcome, "proxy-header-missing");
    assert.ok(path.opening.bytes.length > "PROXY TCP4 ".length);
});

test("who connects and says nothing was a TCP check", async () => {
    const { outcome } = await introduced(TRUSTED, new Uint8Array(0), { ends: true });
    assert.equal(outcome, "closed");
});
