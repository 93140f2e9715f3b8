import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { DependencyError, InvariantError } from "@postern/errors";
import { echoReply, formatIpv4, ipv4Destination, parseCidr } from "@postern/ip";
import { inOwnNamespace } from "@postern/testkit";
import { openTun, type TunDevice, type TunOptions } from "@postern/tun";
import { echoRequest, echoRequestIpv6, outgoing, sequenceOf } from "./echo-request.ts";
import { ip, ipJson, run } from "./namespaces.ts";
import { openPorts, Receiver, unframe } from "./receiver.ts";

const MTU = 1400;

/** Every device that a test opens is closed after it, whatever happened. */
const opened: TunDevice[] = [];

function open(options: Partial<TunOptions> = {}): TunDevice {
    const device = openTun({ name: "pst%d", mtu: MTU, gateways: ["10.91.0.1", "fd91::1"], sessions: 1024, ...options });
    opened.push(device);
    return device;
}

/** Waits for the kernel to take the IPv6 gateway into use, which it does in a work queue and not on request. */
async function openWithIpv6(): Promise<TunDevice> {
    const device = open();
    while (ipJson(`-6 route show table local dev ${device.name} fd91::1`).length === 0) await nextTurn();
    return device;
}

/** Answers every ping that a device delivers to `slot`. */
function answerPings(device: TunDevice, slot: number, ...destinations: readonly string[]): void {
    const ports = openPorts((bytes) => {
        const replies = unframe(bytes)
            .map(echoReply)
            .filter((reply) => reply !== undefined);
        assert.equal(send(device, replies), replies.length);
    });
    device.path(slot, ports).refresh();
    device.addSession(slot, destinations.map(parseCidr));
    device.start((error) => assert.fail(error));
}

/** How many of the packets the kernel took. */
function send(device: TunDevice, packets: readonly Uint8Array[]): number {
    const { bytes, pairs, count } = outgoing(packets);
    const before = device.counters().packetsOut;
    device.write(bytes, pairs, count);
    return device.counters().packetsOut - before;
}

/** A module that opens a device, with statements before and after. */
function openingScript(after: string, before = ""): string {
    return `const { openTun, tunAvailability } = await import(${JSON.stringify(import.meta.resolve("@postern/tun"))});
        ${before}
        const device = openTun({ name: "pst%d", mtu: 1400, gateways: ["10.91.0.1"], sessions: 1 });
        ${after}`;
}

const runScript = (script: string): ReturnType<typeof run> =>
    run(process.execPath, "--input-type=module", "-e", script);

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at);

inOwnNamespace(import.meta.filename, () => {
    afterEach(() => {
        for (const device of opened.splice(0)) device.close();
        assert.deepEqual(ipJson("link show type tun"), []);
    });

    test("the kernel shows the device as it was asked for, and nothing after it is closed", () => {
        const device = open({ queueLength: 777 });
        const [link] = ipJson(`address show dev ${device.name}`);
        assert.ok(link !== undefined);
        assert.equal(link["ifindex"], device.index);
        assert.equal(link["mtu"], MTU);
        assert.equal(link["txqlen"], 777);
        assert.ok((link["flags"] as string[]).includes("UP")); // as iproute2 has it
        const addresses = link["addr_info"] as { local: string; prefixlen: number }[]; // as iproute2 has it
        assert.deepEqual(
            addresses.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
            ["10.91.0.1/32", "fd91::1/128"],
        );
        device.addAddress("10.91.0.2");
        device.deleteAddress("10.91.0.1");
        const [changed] = ipJson(`-4 address show dev ${device.name}`);
        assert.ok(changed !== undefined);
        const remaining = changed["addr_info"] as { local: string }[]; // as iproute2 has it
        assert.deepEqual(
            remaining.map(({ local }) => local),
            ["10.91.0.2"],
        );
        device.close();
        device.close();
        assert.deepEqual(ipJson("link show type tun"), []);
    });

    test("ping from the host reaches a client and comes back, 500 times", async () => {
        const device = await openWithIpv6();
        answerPings(device, 3, "10.91.0.5", "fd91:0:0:5::/64");
        for (const target of ["10.91.0.5", "fd91:0:0:5::77"]) {
            const { code, output } = await run("ping", "-q", "-f", "-c", "500", "-s", "1300", target);
            assert.equal(code, 0, output);
            assert.match(output, / 500 received, 0% packet loss/);
        }
        const counters = device.counters();
        assert.equal(counters.packetsIn, 1000);
        assert.equal(counters.packetsOut, 1000);
        assert.equal(counters.bytesIn, 500 * (1328 + 1348));
        assert.equal(counters.bytesOut, counters.bytesIn);
    });

    test("1,000 pings of a client in one write reach the host, and the replies come in order", async () => {
        const device = await openWithIpv6();
        const receiver = new Receiver(device);
        receiver.open(0, "10.91.0.5", "fd91:0:0:5::/64");
        const requests = range(1000).map((sequence) => echoRequest("10.91.0.5", "10.91.0.1", sequence, 100));
        assert.equal(send(device, requests), 1000);
        await receiver.until(() => receiver.packets().length === 1000);
        assert.deepEqual(receiver.packets(0).map(sequenceOf), range(1000));
        // The kernel's IP header differs from ours in its identification; what it carries does not.
        const expected = requests.map((request) => echoReply(request)?.subarray(20));
        assert.deepEqual(
            receiver.packets().map((packet) => packet.subarray(20)),
            expected,
        );
        assert.ok(receiver.runs.length <= 10, `${receiver.runs.length} runs`);
        assert.equal(send(device, [echoRequestIpv6("fd91:0:0:5::9", "fd91::1", 42)]), 1);
        await receiver.until(() => receiver.packets().length === 1001);
        assert.equal(sequenceOf(receiver.packets()[1000] ?? new Uint8Array()), 42);
    });

    test("packets of many sessions come grouped by session, in order within each", async () => {
        const device = open();
        const receiver = new Receiver(device);
        const slots = [7, 0, 300, 12, 1023];
        for (const [at, slot] of slots.entries()) receiver.open(slot, `10.91.1.${at}`);
        const rounds = 40;
        const requests = range(rounds * slots.length).map((number) =>
            echoRequest(`10.91.1.${number % slots.length}`, "10.91.0.1", number, number % 50),
        );
        assert.equal(send(device, requests), requests.length);
        await receiver.until(() => receiver.packets().length === requests.length);
        // The kernel had answered all of them before the first was read: one wake-up, one run per session.
        assert.deepEqual(
            receiver.runs.map(({ slot }) => slot),
            slots,
        );
        for (const [at, slot] of slots.entries()) {
            const packets = receiver.packets(slot);
            assert.deepEqual(
                packets.map(sequenceOf),
                range(rounds).map((round) => round * slots.length + at),
            );
            assert.ok(packets.every((packet) => formatIpv4(ipv4Destination(packet, 0)) === `10.91.1.${at}`));
        }
    });

    test("a whole IPv6 address goes before the /64 that it is in", async () => {
        const device = await openWithIpv6();
        const receiver = new Receiver(device);
        receiver.open(1, "fd91:0:0:5::/64");
        receiver.open(2, "fd91:0:0:5::2");
        send(
            device,
            [1, 2, 3].map((host) => echoRequestIpv6(`fd91:0:0:5::${host}`, "fd91::1", host)),
        );
        await receiver.until(() => receiver.packets().length === 3);
        assert.deepEqual(receiver.packets(1).map(sequenceOf), [1, 3]);
        assert.deepEqual(receiver.packets(2).map(sequenceOf), [2]);
    });

    test("routes carry protocol and MTU, and go with their session", () => {
        const device = open({ routeProtocol: 99 });
        device.addSession(1, [parseCidr("10.91.0.5"), parseCidr("fd91:0:0:5::/64")], 1280);
        const [route] = ipJson("-4 route show proto 99");
        assert.ok(route !== undefined);
        assert.deepEqual([route["dst"], route["dev"], route["metrics"]], ["10.91.0.5", device.name, [{ mtu: 1280 }]]);
        const [routeIpv6] = ipJson("-6 route show proto 99");
        assert.equal(routeIpv6?.["dst"], "fd91:0:0:5::/64");
        device.removeSession(1);
        device.removeSession(1);
        assert.deepEqual([...ipJson("-4 route show proto 99"), ...ipJson("-6 route show proto 99")], []);
        device.addSession(1, [parseCidr("10.91.0.6")]);
        assert.equal(ipJson("-4 route show proto 99")[0]?.["metrics"], undefined);
    });

    test("two devices with one gateway address: each has its sessions, and an address moves between them", async () => {
        const [first, second] = [open(), open()];
        assert.notEqual(first.name, second.name);
        const [atFirst, atSecond] = [new Receiver(first), new Receiver(second)];
        atFirst.open(0, "10.91.0.5");
        atSecond.open(0, "10.91.0.6");
        send(first, [echoRequest("10.91.0.5", "10.91.0.1", 1)]);
        send(second, [echoRequest("10.91.0.6", "10.91.0.1", 2)]);
        await atFirst.until(() => atFirst.packets().length === 1);
        await atSecond.until(() => atSecond.packets().length === 1);
        assert.deepEqual([...atFirst.packets(), ...atSecond.packets()].map(sequenceOf), [1, 2]);
        atSecond.open(1, "10.91.0.5");
        first.removeSession(0);
        assert.equal(ipJson("-4 route get 10.91.0.5")[0]?.["dev"], second.name);
        send(second, [echoRequest("10.91.0.5", "10.91.0.1", 3)]);
        await atSecond.until(() => atSecond.packets().length === 2);
        assert.deepEqual(atSecond.packets(1).map(sequenceOf), [3]);
    });

    test("IPv6 routes move between devices too", () => {
        const [first, second] = [open(), open()];
        const network = [parseCidr("fd91:0:0:5::/64")];
        first.addSession(0, network);
        second.addSession(0, network);
        first.removeSession(0);
        const routes = ipJson("-6 route show fd91:0:0:5::/64");
        assert.deepEqual(
            routes.map((route) => route["dev"]),
            [second.name],
        );
        second.removeSession(0);
        assert.deepEqual(ipJson("-6 route show fd91:0:0:5::/64"), []);
    });

    test("a session that comes back before its predecessor has gone keeps its address", async () => {
        const device = open();
        const receiver = new Receiver(device);
        receiver.open(1, "10.91.0.5");
        receiver.open(2, "10.91.0.5");
        device.removeSession(1);
        send(device, [echoRequest("10.91.0.5", "10.91.0.1", 9)]);
        await receiver.until(() => receiver.packets().length === 1);
        assert.deepEqual(
            receiver.runs.map(({ slot }) => slot),
            [2],
        );
    });

    test("what belongs to no session is dropped and counted", async () => {
        const device = await openWithIpv6();
        const receiver = new Receiver(device);
        receiver.open(0, "10.91.0.5");
        ip(`route add 10.91.9.0/24 dev ${device.name}`);
        ip(`route add fd99::/64 dev ${device.name}`);
        send(device, [
            echoRequest("10.91.9.9", "10.91.0.1", 1),
            echoRequestIpv6("fd99::9", "fd91::1", 2),
            echoRequest("10.91.0.5", "10.91.0.1", 3),
        ]);
        await receiver.until(() => receiver.packets().length === 1);
        assert.deepEqual(receiver.packets().map(sequenceOf), [3]);
        assert.equal(device.counters().dropsNoSession, 2);
        assert.equal(device.counters().packetsIn, 1);
    });

    test("what overflows the device's queue is dropped by the kernel and counted", async () => {
        const device = open({ queueLength: 100 });
        const receiver = new Receiver(device);
        receiver.open(0, "10.91.0.5");
        send(
            device,
            range(300).map((sequence) => echoRequest("10.91.0.5", "10.91.0.1", sequence)),
        );
        await receiver.until(() => receiver.packets().length === 100);
        assert.deepEqual(receiver.packets().map(sequenceOf), range(100));
        assert.equal(device.counters().dropsInQueueFull, 200);
        device.close();
        assert.equal(device.counters().dropsInQueueFull, 200);
    });

    test("what the kernel takes for malformed is counted and does not stop what follows", () => {
        const device = open();
        const good = echoRequest("10.91.0.5", "10.91.0.1", 1);
        const bad = [new Uint8Array(0), Uint8Array.of(0x15, 0, 0, 0)];
        assert.equal(send(device, [good, ...bad, good]), 2);
        assert.equal(device.counters().dropsOutRefused, 2);
        assert.equal(device.counters().packetsOut, 2);
        assert.equal(device.counters().bytesOut, 2 * good.length);
    });

    test("offsets and counts outside the arrays are a defect, and so are slots and destinations that cannot be", () => {
        const device = open();
        const bytes = echoRequest("10.91.0.5", "10.91.0.1", 1);
        for (const pair of [
            [0, 33],
            [1, 32],
            [33, 0xffff_ffff],
            [0xffff_ffff, 2],
        ]) {
            assert.throws(() => device.write(bytes, Uint32Array.from(pair), 1), InvariantError);
        }
        assert.throws(() => device.write(bytes, Uint32Array.of(0, 1), 2), InvariantError);
        const ports = openPorts(() => undefined);
        for (const slot of [-1, 0.5, 1024]) {
            assert.throws(() => device.addSession(slot, []), InvariantError);
            assert.throws(() => device.path(slot, ports), InvariantError);
        }
        for (const block of ["10.91.0.0/24", "fd91::/48"]) {
            assert.throws(() => device.addSession(0, [parseCidr(block)]), InvariantError);
        }
        device.addSession(0, []);
        assert.throws(() => device.addSession(0, []), InvariantError);
        device.close();
        assert.throws(() => device.write(bytes, Uint32Array.of(0, 1), 1), InvariantError);
    });

    test("an error names the operation, the object, the errno and the way out", () => {
        const device = open({ name: "pst7" });
        const refuse = (action: () => void, expected: RegExp): void => {
            assert.throws(action, (error) => error instanceof DependencyError && expected.test(error.message));
        };
        refuse(() => open({ name: "pst7" }), /TUN_OPEN_FAILED: creating the TUN device pst7: EBUSY; .*exists already/);
        refuse(() => open({ mtu: 1 }), /TUN_NETLINK_FAILED: pst\d: setting up with MTU 1 .*EINVAL/);
        refuse(() => device.deleteAddress("10.9.9.9"), /pst7: deleting address 10\.9\.9\.9\/32: EADDRNOTAVAIL/);
        ip("link set pst7 down");
        refuse(
            () => device.addSession(4, [parseCidr("10.91.0.5")]),
            /pst7: adding route 10\.91\.0\.5\/32: ENETDOWN; .*down/,
        );
        ip("link set pst7 up");
        device.addSession(4, [parseCidr("10.91.0.5")]);
        assert.throws(() => open({ name: "pst7 up" }), InvariantError);
        assert.throws(() => open({ name: "pst-is-too-long-a-name" }), InvariantError);
    });

    test("a device that is deleted under us says so once", async () => {
        const device = open();
        const receiver = new Receiver(device);
        ip(`link delete ${device.name}`);
        await receiver.until(() => receiver.lost.length > 0);
        assert.match(receiver.lost[0]?.message ?? "", new RegExp(`reading ${device.name}: EBADF`));
        assert.equal(send(device, [echoRequest("10.91.0.5", "10.91.0.1", 1)]), 0);
    });

    test("a handler may close the device it is called for", async () => {
        const device = open();
        const { promise, resolve } = Promise.withResolvers<number>();
        const ports = openPorts((bytes) => {
            device.close();
            resolve(unframe(bytes).length);
        });
        device.path(0, ports).refresh();
        device.addSession(0, [parseCidr("10.91.0.5")]);
        device.start(assert.fail);
        send(
            device,
            range(3).map((sequence) => echoRequest("10.91.0.5", "10.91.0.1", sequence)),
        );
        assert.equal(await promise, 3);
    });

    test("a process or thread ends cleanly whatever state its device is in", async () => {
        const endings = {
            "opened only": "",
            closed: "device.close();",
            "started and closed": "device.start(() => {}); device.close();",
            "exits while reading": "device.start(() => {}); process.exit();",
        };
        for (const [name, ending] of Object.entries(endings)) {
            assert.deepEqual(await runScript(openingScript(ending)), { code: 0, output: "" }, name);
        }
        const thread = `import { parentPort } from "node:worker_threads";
            ${openingScript('device.start(() => {}); parentPort.postMessage("started");')}`;
        const terminating = `import { Worker } from "node:worker_threads";
            const worker = new Worker(new URL("data:text/javascript," + encodeURIComponent(${JSON.stringify(thread)})));
            worker.once("message", () => worker.terminate());`;
        assert.deepEqual(await runScript(terminating), { code: 0, output: "" });
        assert.deepEqual(ipJson("link show type tun"), []);
    });

    test("without CAP_NET_ADMIN the error says what is missing", async () => {
        const script = openingScript("", "console.log(tunAvailability());");
        const drop = ["--bounding-set", "-net_admin", "--inh-caps", "-net_admin"];
        const { code, output } = await run("setpriv", ...drop, process.execPath, "--input-type=module", "-e", script);
        assert.equal(code, 1);
        assert.match(output, /kind: 'unavailable'[^]*lacks CAP_NET_ADMIN/);
        assert.match(output, /TUN_OPEN_FAILED: creating the TUN device pst%d: EPERM; the process needs CAP_NET_ADMIN/);
    });
});
