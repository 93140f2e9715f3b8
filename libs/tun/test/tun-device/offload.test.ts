// What the device and we do for one another at every level: TCP and UDP of the kernel through it, both ways, IPv4 and IPv6.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { release } from "node:os";
import { pipeline } from "node:stream/promises";
import { afterEach, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { parseCidr } from "@postern/ip";
import { inOwnNamespace } from "@postern/testkit";
import { enableForwarding, OFFLOADS, openTun, type Offload, type TunDevice } from "@postern/tun";
import { ipJson } from "../namespaces.ts";
import { openPorts, unframe } from "../receiver.ts";
import { assertChecksums, frameOf, isMulticast, reflect, type Reflection } from "../reflector.ts";
import { datagramPacket } from "../transport-packets.ts";

const MTU = 1_400;
const FAMILIES = [
    { name: "IPv4", here: "10.91.0.1", there: "10.91.0.5", udp: "udp4" },
    { name: "IPv6", here: "fd91::1", there: "fd91:0:0:5::5", udp: "udp6" },
] as const;
type Family = (typeof FAMILIES)[number];

/** Linux 6.2 is the first that has super-packets of UDP. */
const [major = 0, minor = 0] = release().split(".").map(Number);
const hasUdpSegments = major > 6 || (major === 6 && minor >= 2);
const doneByKernel = (wanted: Offload): Offload =>
    wanted === "udp-segments" && !hasUdpSegments ? "tcp-segments" : wanted;

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

inOwnNamespace(import.meta.filename, () => {
    const opened: TunDevice[] = [];
    afterEach(() => {
        for (const device of opened.splice(0)) device.close();
    });

    async function open(offload: Offload): Promise<{ device: TunDevice; reflection: Reflection }> {
        const gateways = FAMILIES.map(({ here }) => here);
        const device = openTun({ name: "pst%d", mtu: MTU, gateways, sessions: 1, queueLength: 10_000, offload });
        opened.push(device);
        assert.equal(device.offload, doneByKernel(offload));
        while (ipJson(`-6 route show table local dev ${device.name} fd91::1`).length === 0) await nextTurn();
        const reflection = reflect(device);
        device.addSession(
            0,
            FAMILIES.map(({ there }) => parseCidr(there)),
        );
        return { device, reflection };
    }

    /** Sends `bytes` to `there` and gets them back from who listens `here`; both arrive as they were sent. */
    async function exchangeStream({ here, there }: Family, bytes: Buffer): Promise<void> {
        const server = createServer((socket: Socket) => {
            pipeline(socket, socket).catch((error: unknown) => assert.fail(String(error)));
        });
        server.listen(0, here);
        await once(server, "listening");
        const address = server.address();
        assert.ok(typeof address === "object" && address !== null);
        const socket = connect({ host: there, port: address.port });
        const received: Buffer[] = [];
        socket.on("data", (chunk: Buffer) => received.push(chunk));
        socket.end(bytes);
        await once(socket, "end");
        assert.equal(digest(Buffer.concat(received)), digest(bytes));
        server.close();
        await once(server, "close");
    }

    /** Sends datagrams to `there` and gets them all from who is bound `here`, in order. */
    async function exchangeDatagrams({ here, there, udp }: Family, datagrams: readonly Buffer[]): Promise<void> {
        const [receiver, sender]: UdpSocket[] = [createSocket(udp), createSocket(udp)];
        assert.ok(receiver !== undefined && sender !== undefined);
        receiver.bind(0, here);
        await once(receiver, "listening");
        const received: Buffer[] = [];
        receiver.on("message", (datagram) => received.push(datagram));
        for (const datagram of datagrams) {
            sender.send(datagram, receiver.address().port, there);
            while (received.length < datagrams.indexOf(datagram) - 20) await once(receiver, "message");
        }
        while (received.length < datagrams.length) await once(receiver, "message");
        assert.deepEqual(received.map(digest), datagrams.map(digest));
        receiver.close();
        sender.close();
    }

    const megabytes = randomBytes(4 * 1024 * 1024);
    const datagrams = Array.from({ length: 200 }, (_, at) => randomBytes(at % 3 === 0 ? 1_000 : (at * 7) % 1_352));

    for (const offload of OFFLOADS) {
        for (const family of FAMILIES) {
            test(`${offload}: a TCP stream over ${family.name}`, async () => {
                const { device } = await open(offload);
                await exchangeStream(family, megabytes);
                const { packetsIn, packetsOut, reads, writes, bytesIn, bytesOut, dropsOutRefused } = device.counters();
                assert.ok(Math.min(bytesIn, bytesOut) > 2 * megabytes.length);
                assert.equal(dropsOutRefused, 0);
                const segmentsRead = offload === "tcp-segments" || offload === "udp-segments";
                const readsAPacket = reads / packetsIn;
                const writesAPacket = writes / packetsOut;
                assert.ok(segmentsRead ? readsAPacket < 0.5 : readsAPacket === 1, `${readsAPacket} reads a packet`);
                assert.ok(offload === "none" ? writesAPacket === 1 : writesAPacket < 0.5, `${writesAPacket} writes`);
                const { superPacketsIn, superPacketsOut } = device.counters();
                assert.ok(segmentsRead ? superPacketsIn > 0 && superPacketsIn <= reads : superPacketsIn === 0);
                assert.ok(
                    offload === "none" ? superPacketsOut === 0 : superPacketsOut > 0 && superPacketsOut <= writes,
                );
            });

            test(`${offload}: datagrams over ${family.name}`, async () => {
                const { device, reflection } = await open(offload);
                await exchangeDatagrams(family, datagrams);
                const { packetsIn, packetsOut, dropsOutRefused } = device.counters();
                assert.equal(packetsIn - reflection.multicasts, datagrams.length);
                assert.deepEqual([packetsOut, dropsOutRefused], [datagrams.length, 0]);
            });
        }
    }

    /** Datagrams of one client, forwarded by this host from its device to another's, where they come out of `received`. */
    async function forward(family: Family, offload: Offload, datagrams: readonly Buffer[]) {
        enableForwarding("ipv4");
        enableForwarding("ipv6");
        const version = family.name === "IPv4" ? 4 : 6;
        const [source, destination] = version === 4 ? ["10.91.0.6", "10.91.0.7"] : ["fd91:0:0:6::6", "fd91:0:0:7::7"];
        const options = { name: "pst%d", mtu: MTU, gateways: FAMILIES.map(({ here }) => here), sessions: 1, offload };
        const [from, to] = [openTun(options), openTun(options)];
        opened.push(from, to);
        from.addSession(0, [parseCidr(source)]);
        to.addSession(0, [parseCidr(destination)]);
        const received: Uint8Array[] = [];
        const { promise, resolve } = Promise.withResolvers<undefined>();
        let multicasts = 0;
        const arrival = openPorts((bytes) => {
            const packets = unframe(bytes);
            received.push(...packets.filter((packet) => !isMulticast(packet)));
            multicasts += packets.filter(isMulticast).length;
            if (received.length === datagrams.length) resolve(undefined);
        });
        to.pathToAll(arrival).refresh();
        to.start((error) => assert.fail(error));
        const path = from.pathToAll(openPorts(() => assert.fail("nothing comes back")));
        path.refresh();
        const ends = { version, source, destination, ports: [4_000, 5_000] } as const;
        const packets = datagrams.map((data) => datagramPacket(ends, data));
        const stream = Buffer.concat(packets.map(frameOf));
        assert.equal(path.take(stream, 0, stream.length, true), stream.length);
        await promise;
        for (const packet of received) assertChecksums(packet);
        const headerSize = version === 4 ? 28 : 48;
        assert.deepEqual(
            received.map((packet) => digest(packet.subarray(headerSize))),
            datagrams.map(digest),
        );
        return { writes: from.counters().writes, reads: to.counters().reads - multicasts };
    }

    for (const family of FAMILIES) {
        const equal = Array.from({ length: 41 }, (_, at) => randomBytes(at === 40 ? 3 : 1_200));

        test(`datagrams are written and read as super-packets, over ${family.name}`, async () => {
            const crossings = hasUdpSegments ? 1 : equal.length;
            assert.deepEqual(await forward(family, "udp-segments", equal), { writes: crossings, reads: crossings });
        });

        test(`datagrams are written and read one by one where only TCP is joined, over ${family.name}`, async () => {
            const { length } = equal;
            assert.deepEqual(await forward(family, "tcp-segments", equal), { writes: length, reads: length });
        });
    }
});
