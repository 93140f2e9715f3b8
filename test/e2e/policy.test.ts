// What policies give a session, from postern.yaml to the client: pool, name servers, and by DHCPINFORM the suffix and the routes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { formatIpv4, ipv4Destination, parseIpv4 } from "@postern/ip";
import { eventually } from "@postern/testkit";
import { parseDocument } from "yaml";
import { decodeDhcp, type DhcpMessage } from "../../libs/ip/src/dhcp-message.ts";
import { udpData } from "../../libs/ip/src/udp-packet.ts";
import { windowsInform } from "../../libs/ip/test/windows-inform.ts";
import { Installation } from "./installation.ts";

const PORT = 14_438;
const ROUTES = ["10.0.0.0/8", "192.168.128.0/17"];

let postern: Installation;

before(async () => {
    postern = await Installation.start({
        port: PORT,
        configure(yaml) {
            const document = parseDocument(yaml);
            const set = { dns: ["10.0.0.53"], searchSuffix: "corp.example", routes: ROUTES };
            document.setIn(["auth-broker", "policies"], [{ name: "split tunnel", set }]);
            return document.toString({ lineWidth: 0 });
        },
    });
});

after(() => postern[Symbol.asyncDispose]());

test("the question that Windows asks is answered with the routes of the user's policy", async () => {
    const client = await postern.dial();
    const { address = assert.fail("no address"), gateway = assert.fail("no gateway") } = client;
    assert.deepEqual(client.dns, ["10.0.0.53"]);
    client.sendIp(windowsInform(address));
    const { packet, message } = await eventually(
        async (): Promise<{ packet: Uint8Array; message: DhcpMessage }> => {
            const received = await client.nextIpPacket();
            const read = decodeDhcp(udpData(received, 68) ?? assert.fail("another packet"));
            return { packet: received, message: read ?? assert.fail("another message") };
        },
        { within: 5_000 },
    );
    assert.equal(formatIpv4(ipv4Destination(packet, 0)), address);
    const router = Buffer.alloc(4);
    router.writeUInt32BE(parseIpv4(gateway));
    const routes = `080a${router.toString("hex")}11c0a880${router.toString("hex")}`;
    const told = [6, 15, 121, 249].map((code) => Buffer.from(message.options.get(code) ?? "").toString("hex"));
    assert.deepEqual(told, ["0a000035", Buffer.from("corp.example").toString("hex"), routes, routes]);
    const explained = await postern.query<{ key: string; from: string }[]>("policy", "explain", postern.ready.user);
    assert.deepEqual(
        explained.map(({ key, from }) => [key, from]),
        ["dns", "routes", "searchSuffix"].map((key) => [key, "policy split tunnel"]),
    );
    await client.disconnect();
});
