// The uplink on a real TUN device, in a network namespace that ends with the test's process (it takes root and /dev/net/tun).
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { DependencyError } from "@postern/errors";
import { ipv4Size, parseIpv4 } from "@postern/ip";
import { encodeFrame, PROTOCOL } from "@postern/ppp";
import { encodeDataPacket, packetSize } from "@postern/sstp";
import { encodeEchoRequest } from "@postern/sstp-client";
import { eventually, inOwnNamespace, KeptLog, silentLog } from "@postern/testkit";
import { type DataPath, HEADROOM } from "@postern/tun";
import { TunUplink } from "../src/tun-uplink.ts";

const OPTIONS = {
    device: "pst-test",
    mtu: 1_400,
    gateway: "10.91.0.1",
    mode: "nat",
    pools: ["10.91.0.0/16"],
    clientToClient: false,
    sessions: 3_000,
} as const;

const run = (program: string, ...args: readonly string[]): string =>
    execFileSync(program, args, { encoding: "utf8", env: { PATH: "/usr/sbin:/sbin:/usr/bin:/bin" } });

interface Route {
    readonly dst: string;
    readonly dev: string;
    readonly metrics?: readonly { readonly mtu?: number }[];
}

const sessionRoutes = (): readonly Route[] =>
    (JSON.parse(run("ip", "-j", "route")) as Route[]).filter(({ dev }) => dev === OPTIONS.device); // iproute2's own format

/** Sizes of the packets that go to a client through a path of `uplink` with an open gate. */
function openPath(uplink: TunUplink, slot: number, peerMru = 4_091): { path: DataPath; sizes: number[] } {
    const sizes: number[] = [];
    const path = uplink.path(slot, {
        gate: { ipv4Open: true, peerMru },
        egress: {
            room: Infinity,
            sendData(bytes, done) {
                for (let at = 0; at < bytes.length; at += packetSize(bytes, at)) {
                    const size = packetSize(bytes, at) - HEADROOM;
                    assert.equal(ipv4Size(bytes, at + HEADROOM, size), size);
                    sizes.push(size);
                }
                done();
                return true;
            },
        },
        onControlFrame: () => undefined,
    });
    path.refresh();
    return { path, sizes };
}

inOwnNamespace(import.meta.filename, () => {
    test("a session's route has its client's MTU, and what is larger comes in fragments", async () => {
        const uplink = new TunUplink(OPTIONS, silentLog);
        await uplink.start();
        assert.match(uplink.description, /offload up to udp-segments/);
        const small = openPath(uplink, 0, 1_300);
        const large = openPath(uplink, 1);
        small.path.lease("10.91.0.5", 1_300);
        large.path.lease("10.91.0.6", 1_400);
        assert.deepEqual(
            sessionRoutes().map(({ dst, metrics }) => [dst, metrics?.[0]?.mtu]),
            [
                ["10.91.0.5", 1_300],
                ["10.91.0.6", undefined],
            ],
        );
        assert.match(run("nft", "list", "tables"), /postern_pst-test/);
        const socket = createSocket("udp4");
        for (const address of ["10.91.0.5", "10.91.0.6"]) socket.send(new Uint8Array(1_372), 9, address);
        await eventually(() => assert.deepEqual([small.sizes.length, large.sizes.length], [2, 1]));
        assert.ok(small.sizes.every((size) => size <= 1_300));
        assert.deepEqual(large.sizes, [1_400]);
        socket.close();

        small.path.release();
        small.path.release();
        assert.deepEqual(
            sessionRoutes().map(({ dst }) => dst),
            ["10.91.0.6"],
        );
        const { packetsIn, dropped } = uplink.counters();
        assert.ok(packetsIn >= 3);
        assert.ok(Object.keys(dropped).length >= 4);
        await uplink.stop();
        assert.doesNotMatch(run("ip", "-o", "link"), /pst-test/);
        assert.doesNotMatch(run("nft", "list", "tables"), /postern/);
    });

    test("with IPv6 a session's /64 leads to it, moves with it between devices, and has rules as IPv4 has", async () => {
        const options = { ...OPTIONS, ipv6: { gateway: "fd91::1", pools: ["fd91::/48"] } };
        const uplinks = ["pst-test", "pst-next"].map((device) => new TunUplink({ ...options, device }, silentLog));
        const [first, second] = uplinks;
        assert.ok(first !== undefined && second !== undefined);
        assert.equal(first.carriesIpv6, false);
        for (const uplink of uplinks) await uplink.start();
        assert.deepEqual([first.carriesIpv6, second.carriesIpv6], [true, true]);
        assert.match(first.description, /gateway 10\.91\.0\.1 and fd91::1/);
        const routes = (): readonly (readonly [string, string, number | undefined])[] =>
            (JSON.parse(run("ip", "-6", "-j", "route")) as Route[]) // iproute2's own format
                .filter(({ dst }) => dst.endsWith("/64"))
                .map(({ dst, dev, metrics }) => [dst, dev, metrics?.[0]?.mtu]);
        const before = openPath(first, 0).path;
        before.lease("10.91.0.5", 1_400, "fd91:0:0:5::/64");
        assert.deepEqual(routes(), [["fd91:0:0:5::/64", "pst-test", undefined]]);
        const after = openPath(second, 0).path;
        after.lease("10.91.0.5", 1_300, "fd91:0:0:5::/64");
        assert.deepEqual(routes(), [["fd91:0:0:5::/64", "pst-next", 1_300]]);
        before.release();
        assert.deepEqual(routes(), [["fd91:0:0:5::/64", "pst-next", 1_300]], "it is the other's by now");
        after.release();
        assert.deepEqual(routes(), []);
        assert.equal(readFileSync("/proc/sys/net/ipv6/conf/all/forwarding", "utf8"), "1\n");
        const rules = run("nft", "list", "table", "inet", "postern_pst-test");
        assert.match(rules, /ip6 saddr @pools6 ip6 daddr @pools6 .*drop/);
        assert.match(rules, /ip6 saddr @pools6 ip6 daddr != @pools6 .*masquerade/);
        for (const uplink of uplinks) await uplink.stop();
    });

    test("a host without IPv6 has IPv4 alone, and says so once", async () => {
        const setting = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
        writeFileSync(setting, "1\n");
        const log = new KeptLog();
        const uplink = new TunUplink({ ...OPTIONS, ipv6: { gateway: "fd91::1", pools: ["fd91::/48"] } }, log);
        await uplink.start();
        writeFileSync(setting, "0\n");
        assert.equal(uplink.carriesIpv6, false);
        assert.equal(log.lines.filter(({ level }) => level === "warn").length, 1);
        assert.doesNotMatch(run("nft", "list", "table", "inet", "postern_pst-test"), /pools6/);
        const { path, sizes } = openPath(uplink, 0);
        path.lease("10.91.0.5", 1_400);
        const socket = createSocket("udp4");
        socket.send(new Uint8Array(100), 9, "10.91.0.5");
        await eventually(() => assert.deepEqual(sizes, [128]));
        socket.close();
        await uplink.stop();
    });

    test("a packet of every session at once has its answer", async (t) => {
        const uplink = new TunUplink(OPTIONS, silentLog);
        t.after(() => uplink.stop());
        await uplink.start();
        const { path, sizes } = openPath(uplink, 0);
        path.lease("10.91.0.5", 1_400);
        const request = encodeEchoRequest({
            source: parseIpv4("10.91.0.5"),
            destination: parseIpv4(OPTIONS.gateway),
            identifier: 1,
            sequence: 1,
            dataSize: 56,
        });
        const packet = encodeDataPacket(encodeFrame(PROTOCOL.ipv4, request));
        for (let session = 0; session < OPTIONS.sessions; session += 1)
            assert.equal(path.take(packet, 0, packet.length, false), packet.length);
        await eventually(() => assert.equal(sizes.length, OPTIONS.sessions));
    });

    test("what the kernel refuses is said with the device's name, and leaves the session to be ended", async () => {
        const uplink = new TunUplink(OPTIONS, silentLog);
        assert.throws(() => openPath(uplink, 0), /not started/);
        await uplink.start();
        openPath(uplink, 0).path.lease("10.91.0.5", 1_400);
        assert.throws(() => openPath(uplink, 0).path.lease("10.91.0.6", 1_400));
        await assert.rejects(new TunUplink(OPTIONS, silentLog).start(), DependencyError);
        await uplink.stop();
    });
});
