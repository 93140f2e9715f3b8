// The uplink on a real TUN device, in a network namespace that ends with the test's process (it takes root and /dev/net/tun).
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { test } from "node:test";
import { DependencyError } from "@postern/errors";
import { ipv4Destination, ipv4Size, parseIpv4 } from "@postern/ip";
import { encodeEchoRequest } from "@postern/sstp-client";
import { eventually, inOwnNamespace, silentLog } from "@postern/testkit";
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

inOwnNamespace(import.meta.filename, () => {
    test("a session's route has its client's MTU, and what is larger comes in fragments", async () => {
        const uplink = new TunUplink(OPTIONS, silentLog);
        const sizes = new Map<number, number[]>();
        await uplink.start((slot, packets) => {
            for (let at = 0; at < packets.count; at += 1) {
                const start = packets.offset(at);
                const size = ipv4Size(packets.bytes, start, packets.size(at));
                if (ipv4Destination(packets.bytes, start) === parseIpv4(`10.91.0.${slot + 5}`))
                    sizes.set(slot, [...(sizes.get(slot) ?? []), size]);
            }
            packets.release();
        });
        uplink.attach(0, "10.91.0.5", 1_300);
        uplink.attach(1, "10.91.0.6", 1_400);
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
        await eventually(() => assert.deepEqual([sizes.get(0)?.length, sizes.get(1)?.length], [2, 1]));
        assert.ok((sizes.get(0) ?? []).every((size) => size <= 1_300));
        assert.deepEqual(sizes.get(1), [1_400]);
        socket.close();

        uplink.detach(0);
        uplink.detach(0);
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

    test("a packet of every session at once has its answer", async (t) => {
        const uplink = new TunUplink(OPTIONS, silentLog);
        t.after(() => uplink.stop());
        let answers = 0;
        await uplink.start((_, packets) => {
            answers += packets.count;
            packets.release();
        });
        uplink.attach(0, "10.91.0.5", 1_400);
        const request = encodeEchoRequest({
            source: parseIpv4("10.91.0.5"),
            destination: parseIpv4(OPTIONS.gateway),
            identifier: 1,
            sequence: 1,
            dataSize: 56,
        });
        const spans = Uint32Array.from({ length: 2 * OPTIONS.sessions }, (_, at) =>
            at % 2 === 0 ? 0 : request.length,
        );
        uplink.write(request, spans, OPTIONS.sessions);
        await eventually(() => assert.equal(answers, OPTIONS.sessions));
    });

    test("what the kernel refuses is said with the device's name, and leaves the session to be ended", async () => {
        const uplink = new TunUplink(OPTIONS, silentLog);
        assert.throws(() => uplink.attach(0, "10.91.0.5", 1_400), /not started/);
        await uplink.start(() => undefined);
        uplink.attach(0, "10.91.0.5", 1_400);
        assert.throws(() => uplink.attach(0, "10.91.0.6", 1_400));
        await assert.rejects(
            new TunUplink(OPTIONS, silentLog).start(() => undefined),
            DependencyError,
        );
        await uplink.stop();
    });
});
