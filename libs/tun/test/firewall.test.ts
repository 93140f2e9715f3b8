import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { after, afterEach, beforeEach, test } from "node:test";
import { formatIpv4, ipv4Source, parseCidr } from "@postern/ip";
import { inOwnNamespace } from "@postern/testkit";
import { Firewall, enableForwarding, openTun, type FirewallOptions, type TunDevice } from "@postern/tun";
import { echoRequest, outgoing, sequenceOf } from "./echo-request.ts";
import { openPeerNamespace, run } from "./namespaces.ts";
import { Receiver } from "./receiver.ts";

const CLIENT = "10.91.0.5";
const OTHER_CLIENT = "10.91.0.6";
const GATEWAY = "10.91.0.1";
/** In the other namespace, which has no route to the pool: without masquerading nothing comes back from there. */
const SERVER = "10.200.0.2";

const options: FirewallOptions = {
    owner: "worker-1",
    pools: [parseCidr("10.91.0.0/16"), parseCidr("fd91::/48")],
    interfacePrefix: "pst",
    masquerade: true,
    clientToClient: false,
};

const nft = (...args: readonly string[]): string => execFileSync("nft", args, { encoding: "utf8" });
const send = (device: TunDevice, packet: Uint8Array): void => {
    const { bytes, pairs, count } = outgoing([packet]);
    const before = device.counters().packetsOut;
    device.write(bytes, pairs, count);
    assert.equal(device.counters().packetsOut, before + 1);
};

inOwnNamespace(import.meta.filename, () => {
    const peer = openPeerNamespace();
    let device: TunDevice;
    let receiver: Receiver;

    beforeEach(async () => {
        await peer;
        enableForwarding("ipv4");
        device = openTun({ name: "pst%d", mtu: 1400, gateways: [GATEWAY], sessions: 8 });
        receiver = new Receiver(device);
        receiver.open(5, CLIENT);
        receiver.open(6, OTHER_CLIENT);
    });
    afterEach(async () => {
        device.close();
        await new Firewall(options).remove();
    });
    after(async () => {
        const holder = await peer;
        holder.kill("SIGKILL");
        await once(holder, "exit");
    });

    /** Sends pings in turn and waits for the reply to the last: what the earlier ones led to has then arrived as well. */
    async function exchange(...pings: readonly (readonly [source: string, destination: string])[]): Promise<string[]> {
        for (const [at, [source, destination]] of pings.entries()) send(device, echoRequest(source, destination, at));
        const last = pings.length;
        send(device, echoRequest(CLIENT, GATEWAY, last));
        await receiver.until(() =>
            receiver.packets(5).some((packet) => packet[20] === 0 && sequenceOf(packet) === last),
        );
        return receiver.packets().map((packet) => `${formatIpv4(ipv4Source(packet, 0))} #${sequenceOf(packet)}`);
    }

    test("a client reaches the network behind the host's address", async () => {
        const firewall = new Firewall(options);
        await firewall.apply();
        send(device, echoRequest(CLIENT, SERVER, 100));
        await receiver.until(() => receiver.packets(5).length === 1);
        const [reply] = receiver.packets(5);
        assert.ok(reply !== undefined);
        assert.equal(formatIpv4(ipv4Source(reply, 0)), SERVER);
        assert.equal(sequenceOf(reply), 100);
        await firewall.remove();
        assert.doesNotMatch(nft("list", "tables"), /postern/);
    });

    test("clients do not reach one another, unless they may", async () => {
        await new Firewall(options).apply();
        assert.deepEqual(await exchange([CLIENT, OTHER_CLIENT]), [`${GATEWAY} #1`]);
        assert.match(nft("list", "table", "inet", "postern_worker-1"), /counter packets 1 bytes \d+ drop/);
        await new Firewall({ ...options, clientToClient: true }).apply();
        receiver.runs.length = 0;
        assert.deepEqual(await exchange([CLIENT, OTHER_CLIENT]), [`${CLIENT} #0`, `${GATEWAY} #1`]);
    });

    test("clients of other hosts do not reach ours either, unless they may", async () => {
        const { pid } = await peer;
        const there = (...command: readonly string[]): ReturnType<typeof run> =>
            run("nsenter", "-t", String(pid), "-n", ...command);
        await there("ip", "address", "add", "10.91.200.1/32", "dev", "lo");
        await there("ip", "route", "add", CLIENT, "via", "10.200.0.1");
        const ping = (): ReturnType<typeof run> =>
            there("ping", "-q", "-c", "1", "-W", "0.1", "-I", "10.91.200.1", CLIENT);
        await new Firewall({ ...options, clientToClient: true }).apply();
        await ping();
        await receiver.until(() => receiver.packets(5).length === 1);
        await new Firewall(options).apply();
        await ping();
        const rules = nft("list", "table", "inet", "postern_worker-1");
        assert.match(rules, /ip saddr @pools4 ip daddr @pools4 counter packets 1 bytes \d+ drop/);
        assert.equal(receiver.packets(5).length, 1);
    });

    test("what an earlier run of the same owner left is replaced; the tables of others stay", async () => {
        const leftover =
            "add table inet postern_worker-1; add chain inet postern_worker-1 stale; add table inet postern_worker-2";
        nft(leftover);
        const firewall = new Firewall(options);
        await firewall.apply();
        await firewall.apply();
        const rules = nft("list", "ruleset");
        assert.doesNotMatch(rules, /stale/);
        assert.equal(rules.match(/table inet postern_worker-1/g)?.length, 1);
        await firewall.remove();
        await firewall.remove();
        assert.equal(nft("list", "tables").trim(), "table inet postern_worker-2");
        nft("delete table inet postern_worker-2");
    });

    test("a missing nft and refused rules are told apart", async () => {
        await assert.rejects(new Firewall(options, "no-such-nft").apply(), {
            name: "DependencyError",
            message: "FIREWALL_UNAVAILABLE: no-such-nft cannot be run; install nftables",
        });
        await assert.rejects(new Firewall(options, "false").apply(), {
            name: "DependencyError",
            message: "FIREWALL_REJECTED: false: exit status 1",
        });
        const overlong = { ...options, interfacePrefix: "an-interface-name-that-is-too-long" };
        await assert.rejects(new Firewall(overlong).apply(), { code: "FIREWALL_REJECTED", message: /nft: .*Error/ });
    });
});
