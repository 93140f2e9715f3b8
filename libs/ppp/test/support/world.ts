// A clock, two links and the wire between them, all in memory: what one sends the other gets, in order, when `settle` is
// called; time passes only when nothing is under way.
import assert from "node:assert/strict";
import {
    type AuthenticationAttempt,
    type AuthenticationResult,
    CLIENT_PROFILES,
    type ClientLinkOptions,
    type Closure,
    decodeFrame,
    type Family,
    type LinkPorts,
    type NetworkConfiguration,
    ntPasswordHash,
    PppClientLink,
    PppLink,
    type ServerLinkOptions,
    type TimerName,
    verifyChap,
    verifyMschapv2,
} from "@postern/ppp";
import { DIGESTS } from "./digests.ts";

const USER = "User";
export const PASSWORD = "clientPass";

export const NETWORK: NetworkConfiguration = {
    ipv4: { serverAddress: "192.0.2.1", clientAddress: "192.0.2.77", dns: ["192.0.2.53", "192.0.2.54"], nbns: [] },
    ipv6: { serverInterfaceId: "0000000000000001", clientInterfaceId: "00000000000000aa" },
};

/**
 * As a socket hands bytes over: in a Node `Buffer`, whose `slice` does not copy, over memory that is used again as soon
 * as the call returns.  Whoever kept a view finds something else in it.
 */
export function deliver(link: PppLink | PppClientLink, protocol: number, payload: Uint8Array): void {
    const borrowed = Buffer.from(payload);
    link.onFrame(protocol, borrowed);
    borrowed.fill(0xee);
}

type Side = "server" | "client";

interface Pending {
    readonly at: number;
    readonly fire: () => void;
}

export class FakeTime {
    now = 0;
    readonly #timers = new Map<string, Pending>();

    start(key: string, milliseconds: number, fire: () => void): void {
        this.#timers.set(key, { at: this.now + milliseconds, fire });
    }

    stop(key: string): void {
        this.#timers.delete(key);
    }

    get running(): readonly string[] {
        return [...this.#timers.keys()];
    }

    /** Moves to the next timer and fires it; `false` when there is none before `limit`. */
    advance(limit: number): boolean {
        const next = [...this.#timers].sort(([, a], [, b]) => a.at - b.at)[0];
        if (next === undefined || next[1].at > limit) return false;
        this.#timers.delete(next[0]);
        this.now = next[1].at;
        next[1].fire();
        return true;
    }
}

/** What happens to a frame on the wire: how many copies arrive, and behind how many later frames. */
type Fate = readonly number[];
const INTACT: Fate = [0];

export interface WorldOptions {
    readonly server?: Partial<ServerLinkOptions>;
    readonly client?: Partial<ClientLinkOptions>;
    /** `undefined` = never answered. */
    readonly decide?: (attempt: AuthenticationAttempt) => AuthenticationResult | undefined;
    readonly network?: NetworkConfiguration;
    readonly fate?: (side: Side, count: number) => Fate;
}

export const decideByPassword = (attempt: AuthenticationAttempt): AuthenticationResult => {
    const failure = { outcome: "failure", failure: { error: 691, retry: false, message: "no" } } as const;
    if (attempt.method === "pap") {
        return Buffer.from(attempt.password).toString() === PASSWORD ? { outcome: "success", message: "" } : failure;
    }
    if (attempt.method === "eap") return failure;
    if (attempt.method === "chap")
        return verifyChap(DIGESTS, PASSWORD, attempt) ? { outcome: "success", message: "" } : failure;
    const verdict = verifyMschapv2(DIGESTS, ntPasswordHash(PASSWORD), attempt);
    return verdict === undefined ? failure : { outcome: "success", message: verdict.message };
};

export class World {
    readonly time = new FakeTime();
    readonly server: PppLink;
    readonly client: PppClientLink;
    readonly attempts: AuthenticationAttempt[] = [];
    readonly log: string[] = [];
    readonly frames: { readonly from: Side; readonly frame: Uint8Array }[] = [];
    readonly closed: { server?: Closure; client?: Closure } = {};
    hlak: Uint8Array | undefined;
    readonly #wire: { readonly to: Side; readonly frame: Uint8Array; delay: number }[] = [];
    readonly #options: WorldOptions;
    #drawn = 0;

    constructor(options: WorldOptions = {}) {
        this.#options = options;
        this.server = new PppLink(
            { authentication: ["mschapv2", "pap"], serverName: "postern", ...options.server },
            {
                ...this.#ports("server", (name) => this.server.onTimer(name)),
                authenticate: (attempt) => {
                    this.attempts.push(attempt);
                    const result = (options.decide ?? decideByPassword)(attempt);
                    if (result !== undefined) this.answer(result);
                },
            },
        );
        this.client = new PppClientLink(
            { profile: CLIENT_PROFILES.windows, user: USER, password: PASSWORD, ...options.client },
            {
                ...this.#ports("client", (name) => this.client.onTimer(name)),
                digests: DIGESTS,
                authenticated: (hlak) => {
                    this.log.push("client authenticated");
                    this.hlak = hlak;
                },
            },
        );
    }

    start(): this {
        this.server.start();
        this.client.start();
        return this.settle();
    }

    answer(result: AuthenticationResult): void {
        this.server.authenticated(result);
        if (result.outcome === "success") this.server.configureNetwork(this.#options.network ?? NETWORK);
    }

    /** Delivers frames until the wire is empty. */
    settle(): this {
        for (let delivered = 0; this.#wire.length > 0; delivered += 1) {
            assert.ok(delivered < 20_000, "the links never stop talking");
            this.#deliverNext();
        }
        return this;
    }

    /** Lets time pass, and everything happen that it brings. */
    run(milliseconds: number): this {
        const limit = this.time.now + milliseconds;
        while (this.time.advance(limit)) this.settle();
        this.time.now = limit;
        return this;
    }

    inject(to: Side, frame: Uint8Array): this {
        const { protocol, payload } = decodeFrame(frame);
        deliver(this[to], protocol, payload);
        return this.settle();
    }

    /** Frames that `side` has sent of this protocol, and of this code if one is given. */
    sent(side: Side, protocol: number, code?: number): readonly Uint8Array[] {
        return this.frames
            .filter(({ from }) => from === side)
            .map(({ frame }) => decodeFrame(frame))
            .filter((frame) => frame.protocol === protocol && (code === undefined || frame.payload[0] === code))
            .map(({ payload }) => payload);
    }

    #deliverNext(): void {
        const at = Math.max(
            0,
            this.#wire.findIndex(({ delay }) => delay <= 0),
        );
        const [next] = this.#wire.splice(at, 1);
        for (const waiting of this.#wire) waiting.delay -= 1;
        if (next === undefined) return;
        const { protocol, payload } = decodeFrame(next.frame);
        deliver(this[next.to], protocol, payload);
    }

    #ports(side: Side, onTimer: (name: TimerName) => void): LinkPorts {
        return {
            send: (frame) => {
                const fate = this.#options.fate?.(side, this.frames.length) ?? INTACT;
                this.frames.push({ from: side, frame });
                const to = side === "server" ? "client" : "server";
                for (const delay of fate) this.#wire.push({ to, frame, delay });
            },
            startTimer: (name, milliseconds) => {
                this.time.start(`${side} ${name}`, milliseconds, () => onTimer(name));
            },
            stopTimer: (name) => this.time.stop(`${side} ${name}`),
            random: (size) => Uint8Array.from({ length: size }, () => this.#random()),
            opened: (family: Family) => this.log.push(`${side} opened ${family}`),
            lost: (family: Family) => this.log.push(`${side} lost ${family}`),
            closed: (closure) => {
                this.log.push(`${side} closed ${closure.reason}`);
                this.closed[side] = closure;
            },
        };
    }

    /** Different each time and the same in each run. */
    #random(): number {
        this.#drawn = (Math.imul(this.#drawn, 1_103_515_245) + 12_345) & 0x7fff_ffff;
        return (this.#drawn >>> 16) & 0xff;
    }
}
