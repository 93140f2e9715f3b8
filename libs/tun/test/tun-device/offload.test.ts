// What the device and we do for one another at every level: TCP and UDP of the kernel through it, both ways, IPv4 and IPv6.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import { afterEach, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { parseCidr } from "@postern/ip";
import { inOwnNamespace } from "@postern/testkit";
import { OFFLOADS, openTun, type Offload, type TunDevice } from "@postern/tun";
import { ipJson } from "../namespaces.ts";
import { reflect } from "../reflector.ts";

const MTU = 1_400;
const FAMILIES = [
    { name: "IPv4", here: "10.91.0.1", there: "10.91.0.5", udp: "udp4" },
    { name: "IPv6", here: "fd91::1", there: "fd91:0:0:5::5", udp: "udp6" },
] as const;
type Family = (typeof FAMILIES)[number];

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

inOwnNamespace(import.meta.filename, () => {
    const opened: TunDevice[] = [];
    afterEach(() => {
        for (const device of opened.splice(0)) device.close();
    });

    async function open(offload: Offload): Promise<TunDevice> {
        const gateways = FAMILIES.map(({ here }) => here);
        const device = openTun({ name: "pst%d", mtu: MTU, gateways, sessions: 1, queueLength: 10_000, offload });
        opened.push(device);
        assert.equal(device.offload, offload, "this kernel does it");
        while (ipJson(`-6 route show table local dev ${device.name} fd91::1`).length === 0) await nextTurn();
        reflect(device);
        device.addSession(
            0,
            FAMILIES.map(({ there }) => parseCidr(there)),
        );
        return device;
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
                const device = await open(offload);
                await exchangeStream(family, megabytes);
                const { packetsIn, packetsOut, reads, writes, bytesIn, bytesOut, dropsOutRefused } = device.counters();
                assert.ok(Math.min(bytesIn, bytesOut) > 2 * megabytes.length);
                assert.equal(dropsOutRefused, 0);
                const segmentsRead = offload === "tcp-segments" || offload === "udp-segments";
                const readsAPacket = reads / packetsIn;
                const writesAPacket = writes / packetsOut;
                assert.ok(segmentsRead ? readsAPacket < 0.5 : readsAPacket === 1, `${readsAPacket} reads a packet`);
                assert.ok(offload === "none" ? writesAPacket === 1 : writesAPacket < 0.5, `${writesAPacket} writes`);
            });

            test(`${offload}: datagrams over ${family.name}`, async () => {
                const device = await open(offload);
                await exchangeDatagrams(family, datagrams);
                const { packetsIn, packetsOut, dropsOutRefused } = device.counters();
                assert.deepEqual([packetsIn, packetsOut, dropsOutRefused], [datagrams.length, datagrams.length, 0]);
            });
        }
    }
});
