import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { inOwnNamespace } from "@postern/testkit";
import { dial, startServer } from "../../../libs/sstp-client/test/loopback.ts";
import { SERVER_ADDRESS } from "../../../libs/sstp-client/test/scripted-server.ts";
import { openTunnelDevice } from "../../client/tunnel-device.ts";

const run = promisify(execFile);

inOwnNamespace(import.meta.filename, () => {
    test("a program of the host reaches the other end of a tunnel through its device", async () => {
        const client = await dial(await startServer());
        const device = openTunnelDevice(client, { name: "sstp0", mtu: 1_400, reach: SERVER_ADDRESS });
        const ping = ["-n", "-c", "50", "-i", "0.002", "-s", "1372", "-M", "do", "-W", "5", SERVER_ADDRESS];
        const { stdout } = await run("ping", ping);
        assert.match(stdout, /50 packets transmitted, 50 received/);
        assert.match(stdout, /1380 bytes from/);
        assert.equal(client.statistics.packetsIn, 0, "the packets did not come one by one");
        assert.equal((await client.disconnect()).reason, "local-disconnect", "control packets still find their way");
        device.close();
    });
});
