import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { loadConfig } from "@postern/config";
import { createTemporaryDirectory } from "@postern/testkit";
import { defaultConfig } from "../../../libs/launcher/src/state/default-config.ts";
import { configure } from "../../peers/postern-configuration.ts";

test("the changed configuration is a good one, with one worker that clients can reach", async () => {
    await using directory = await createTemporaryDirectory("bench");
    const file = path.join(directory.path, "postern.yaml");
    const sstp = { host: "::", port: 443 };
    const network = { poolOctet: 91, ipv6Prefix: "fd12:3456:789a", firstDevice: 0 };
    const settings = { name: "vpn.example.test", sstp, firstPort: 20_000, ...network };
    mkdirSync(path.join(directory.path, "pki"));
    writeFileSync(file, configure(defaultConfig({ ...settings, uplink: "tun" })));
    const { instances } = loadConfig(file);
    assert.deepEqual(instances["session-worker"], ["worker-1"]);
    const worker = loadConfig(file, { service: "session-worker", instance: "worker-1" })["session-worker"];
    assert.equal(worker.listen.host, "198.51.100.1");
    assert.ok(worker.limits.sessions > 10_000);
    assert.equal(worker.ppp.mtu, 1_400);
});
