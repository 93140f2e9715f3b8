// What both sides of the addon know of sessions: rules that TypeScript compiles and counters that it reads.  native/session.h has
// the same layout.
import type { Counters } from "@postern/contracts";
import { encodeIpv4, type Ipv6Cidr, parseIpv4 } from "@postern/ip";
import { DROP_REASONS, type DropReason, type Drops } from "./traffic.ts";

const SESSION_SIZE = 128;
const RULES_SIZE = 32;
const COUNTERS = (SESSION_SIZE - RULES_SIZE) / 8;

const FLAG_IPV4_OPEN = 1;
const FLAG_IPV6_OPEN = 2;
const FLAG_ANY_SOURCE = 4;

// Words of the rules.
const FLAGS = 0;
const IPV4 = 1;
const IPV6 = 2;
const LARGEST = 4;

/** The rules and counters of all slots. */
export class SessionMemory {
    readonly bytes: Uint8Array;

    /** `slots` is how many sessions there can be. */
    constructor(slots: number) {
        this.bytes = new Uint8Array(slots * SESSION_SIZE);
    }

    get slots(): number {
        return this.bytes.length / SESSION_SIZE;
    }

    /** The block of `slot`, as if nobody had had it before. */
    claim(slot: number): SessionBlock {
        const { buffer } = this.bytes;
        this.bytes.fill(0, slot * SESSION_SIZE, (slot + 1) * SESSION_SIZE);
        return new SessionBlock(
            new Uint32Array(buffer, slot * SESSION_SIZE, RULES_SIZE / 4),
            new Float64Array(buffer, slot * SESSION_SIZE + RULES_SIZE, COUNTERS),
        );
    }
}

/** One session's. */
export class SessionBlock {
    readonly #rules: Uint32Array;
    readonly #counters: Float64Array;

    constructor(rules: Uint32Array, counters: Float64Array) {
        this.#rules = rules;
        this.#counters = counters;
    }

    /** The only source that packets from the peer may have; `undefined`: any. */
    setSource(address: string | undefined): void {
        const flags = (this.#rules[FLAGS] ?? 0) & ~FLAG_ANY_SOURCE;
        this.#rules[FLAGS] = address === undefined ? flags | FLAG_ANY_SOURCE : flags;
        if (address !== undefined)
            new Uint8Array(this.#rules.buffer, this.#rules.byteOffset + IPV4 * 4, 4).set(
                encodeIpv4(parseIpv4(address)),
            );
    }

    /** The /64 that sources of the peer's IPv6 packets have to be in. */
    setNetwork({ network }: Ipv6Cidr): void {
        new Uint8Array(this.#rules.buffer, this.#rules.byteOffset + IPV6 * 4, 8).set(network.subarray(0, 8));
    }

    /** Which packets may pass, and the largest one that the peer takes. */
    setGate(ipv4: boolean, ipv6: boolean, largest: number): void {
        const others = (this.#rules[FLAGS] ?? 0) & ~(FLAG_IPV4_OPEN | FLAG_IPV6_OPEN);
        this.#rules[FLAGS] = others | (ipv4 ? FLAG_IPV4_OPEN : 0) | (ipv6 ? FLAG_IPV6_OPEN : 0);
        this.#rules[LARGEST] = largest;
    }

    /** A copy. */
    counters(): Counters {
        const [packetsIn = 0, bytesIn = 0, packetsOut = 0, bytesOut = 0, droppedIn = 0, droppedOut = 0] =
            this.#counters;
        return { packetsIn, bytesIn, packetsOut, bytesOut, droppedIn, droppedOut };
    }

    /** A copy. */
    drops(): Drops {
        const [closed = 0, malformed = 0, foreign = 0, notRouted = 0, tooBig = 0, queueFull = 0] =
            this.#counters.subarray(DROPS_AT);
        return {
            "gate-closed": closed,
            malformed,
            "foreign-source": foreign,
            "not-routed": notRouted,
            "too-big": tooBig,
            "queue-full": queueFull,
        };
    }

    /** Counts packets from the peer that TypeScript has dropped. */
    dropIn(reason: DropReason): void {
        this.#add(DROPPED_IN_AT, 1);
        this.#add(dropAt(reason), 1);
    }

    /** Counts packets to the peer that TypeScript has dropped though the addon had passed them. */
    unsend(packets: number, bytes: number): void {
        this.#add(PACKETS_OUT_AT, -packets);
        this.#add(BYTES_OUT_AT, -bytes);
        this.#add(DROPPED_OUT_AT, packets);
        this.#add(dropAt("queue-full"), packets);
    }

    #add(at: number, count: number): void {
        this.#counters[at] = (this.#counters[at] ?? 0) + count;
    }
}

const PACKETS_OUT_AT = 2;
const BYTES_OUT_AT = 3;
const DROPPED_IN_AT = 4;
const DROPPED_OUT_AT = 5;
const DROPS_AT = 6;
const dropAt = (reason: DropReason): number => DROPS_AT + DROP_REASONS.indexOf(reason);
