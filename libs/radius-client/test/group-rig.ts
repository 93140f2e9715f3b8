// A group of servers on a manual clock and sockets in memory, or on real ones.
import { randomBytes } from "node:crypto";
import {
    ATTRIBUTE,
    CODE,
    decodePacket,
    encodeReply,
    textAttribute,
    type Attribute,
    type Packet,
} from "@postern/radius";
import { FakeClock } from "@postern/testkit";
import type { RadiusRequest } from "../src/exchange.ts";
import type { GroupSettings } from "../src/group-settings.ts";
import type { RadiusObserver } from "../src/observer.ts";
import type { ClientPorts } from "../src/ports.ts";
import { radiusDigests } from "../src/radius-digests.ts";
import type { OpenSocket, SocketHandlers } from "../src/client-socket.ts";

const secret = randomBytes(16);
export const never = new AbortController().signal;

export const ACCESS: RadiusRequest = {
    code: CODE.accessRequest,
    replies: [CODE.accessAccept, CODE.accessReject],
    attributes: () => [textAttribute(ATTRIBUTE.userName, "alice")],
};

export const settingsOf = (ports: readonly number[], changes: Partial<GroupSettings> = {}): GroupSettings => ({
    servers: ports.map((port, priority) => ({ address: { host: "127.0.0.1", port }, secret, priority, weight: 1 })),
    profile: "standard",
    messageAuthenticator: "yes",
    outstanding: 512,
    retransmit: 700,
    serverTimeout: 1_500,
    timeout: 10_000,
    deadTime: 30_000,
    probe: 5_000,
    statusAttributes: [textAttribute(ATTRIBUTE.nasIdentifier, "test")],
    ...changes,
});

export const replyTo = (
    datagram: Uint8Array,
    code: number = CODE.accessAccept,
    attributes: readonly Attribute[] = [],
    changes: Partial<Packet> = {},
): Uint8Array => encodeReply({ code, attributes }, { ...decodePacket(datagram), ...changes }, secret, radiusDigests);

export const isStatus = (datagram: Uint8Array): boolean => datagram[0] === CODE.statusServer;

/** What is told, as lines without times. */
export function keptObserver(): RadiusObserver & { readonly lines: string[] } {
    const lines: string[] = [];
    return {
        lines,
        onRequest: () => undefined,
        onRetransmission: (server) => lines.push(`${server} again`),
        onReply: (server, code) => lines.push(`${server} reply ${code}`),
        onIgnored: (server, reason) => lines.push(`${server} ignored ${reason}`),
        onState: (server, state) => lines.push(`${server} ${state}`),
    };
}

interface Sent {
    readonly port: number;
    readonly bytes: Uint8Array;
    readonly at: number;
    readonly handlers: SocketHandlers;
}

/** `answer` sees everything that is sent. */
export function manualPorts(answer: (sent: Sent) => void) {
    const clock = new FakeClock(0);
    const sent: Sent[] = [];
    let open = 0;
    const openSocket: OpenSocket = ({ port }, handlers) => {
        let closed = false;
        open += 1;
        return {
            isReliable: false,
            wasConnected: false,
            send(bytes) {
                const one = { port, bytes: Uint8Array.from(bytes), at: clock.now(), handlers };
                sent.push(one);
                answer(one);
            },
            close() {
                if (!closed) open -= 1;
                closed = true;
            },
        };
    };
    const ports: ClientPorts = {
        now: clock.now,
        after(milliseconds, callback) {
            const timer = clock.setTimeout(callback, milliseconds);
            return () => clock.clearTimeout(timer);
        },
        randomBytes: (size) => randomBytes(size),
        random: () => 0,
        openSocket,
    };
    return { clock, sent, ports, open: () => open };
}
