import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { parseConfig } from "@postern/config";
import { sessionSettings, tlsOptions } from "../src/settings.ts";
import { startWorker } from "./worker-harness.ts";

const section = (more: string) =>
    parseConfig(
        `
name: vpn.example.test
nats: { servers: ["nats://127.0.0.1:4222"] }
session-worker:
  instances: { w1: {} }
  ${more}
`,
        "/postern.yaml",
        { service: "session-worker", instance: "w1" },
    )["session-worker"];

test("what postern.yaml says is what sessions get", () => {
    assert.deepEqual(sessionSettings(section("ppp: { methods: [pap], mtu: 1300 }"), "vpn.example.test"), {
        methods: ["pap"],
        serverName: "vpn.example.test",
        hashProtocols: 3,
        negotiationTimeout: 60_000,
        negotiationPackets: 1_000,
        hello: 60_000,
        terminateTimeout: 2_000,
        authTimeout: 120_000,
        maxAttempts: 3,
        mtu: 1_300,
        gateway: "10.91.0.1",
        egress: { dataBytes: 262_144, totalBytes: 1_048_576 },
    });
    assert.equal(sessionSettings(section("sstp: { hashes: sha256 }"), "x").hashProtocols, 2);
});

for (const legacyCbc of [false, true]) {
    test(`ciphers: AEAD always, CBC with SHA-1 ${legacyCbc ? "when" : "unless"} it is asked for`, async () => {
        await using worker = await startWorker({ tls: tlsOptions(section(`tls: { legacyCbc: ${legacyCbc} }`)) });
        const handshake = async (ciphers: string, maxVersion: "TLSv1.2" | "TLSv1.3" = "TLSv1.2"): Promise<string> => {
            const tls = worker.connectTls({ ciphers, maxVersion });
            tls.on("error", () => undefined);
            const cipher = await once(tls, "secureConnect").then(
                () => tls.getCipher().name,
                () => "refused",
            );
            tls.destroy();
            return cipher;
        };
        for (const cipher of ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"])
            assert.equal(await handshake(cipher), cipher);
        assert.equal(await handshake("TLS_AES_128_GCM_SHA256", "TLSv1.3"), "TLS_AES_128_GCM_SHA256");
        for (const cipher of ["ECDHE-RSA-AES128-SHA", "AES256-SHA"])
            assert.equal(await handshake(cipher), legacyCbc ? cipher : "refused");
        const refusals = worker.handshakeFailures.filter(({ reason }) => reason.includes("no shared cipher"));
        assert.equal(refusals.length, legacyCbc ? 0 : 2, JSON.stringify(worker.handshakeFailures));
    });
}
