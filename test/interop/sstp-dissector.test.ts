import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createCertificateAuthority, createTemporaryDirectory } from "@postern/testkit";
import { NetworkNamespace } from "./network-namespace.ts";
import { startCapture } from "./packet-capture.ts";
import { dissectSstp, type Dissection } from "./sstp-dissector.ts";

const EXCHANGE = fileURLToPath(new URL("sstp-exchange-main.ts", import.meta.url));
const HANDSHAKE = [
    { fromServer: false, message: "call-connect-request" },
    { fromServer: true, message: "call-connect-ack" },
];

/** An SSTP handshake over TLS, then `packets` from the client, captured and dissected. */
async function dissectExchange(...packets: readonly string[]): Promise<Dissection> {
    await using namespace = await NetworkNamespace.create("dissector");
    await using directory = await createTemporaryDirectory("dissector");
    const authority = await createCertificateAuthority();
    const { key, cert } = await authority.issue({ names: ["vpn.test"] });
    await writeFile(join(directory.path, "key.pem"), key, { mode: 0o600 });
    await writeFile(join(directory.path, "cert.pem"), cert);
    await using capture = await startCapture(namespace, "lo");
    await namespace.run(process.execPath, EXCHANGE, directory.path, ...packets);
    await capture.stop();
    return await dissectSstp(capture.file, join(directory.path, "keys.log"));
}

test("an SSTP handshake inside TLS is decoded", async () => {
    const echoRequest = "1001000800080000";
    const lcpEchoRequest = "1000000ec0210901000800000000";
    const dissection = await dissectExchange(echoRequest, lcpEchoRequest);
    assert.deepEqual(dissection.problems, []);
    assert.deepEqual(dissection.messages, [...HANDSHAKE, { fromServer: false, message: "echo-request" }]);
    assert.ok(dissection.frames.some(({ protocols }) => protocols.includes("http")));
    assert.ok(dissection.frames.some(({ protocols }) => protocols.includes("lcp")));
});

test("a malformed control packet is marked", async () => {
    // A call-connected message whose attribute is longer than the packet.
    const { messages, problems } = await dissectExchange("1001000c0004000100030068");
    assert.deepEqual(messages.slice(0, 2), HANDSHAKE);
    assert.notDeepEqual(problems, []);
});
