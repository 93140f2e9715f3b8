// A PPP link and a peer that says anything, in any order.  The input is a list of steps, each an octet with what follows it:
//   00..7f  a frame: its protocol in bits 0 to 2, size:8 (times 16 with bit 6) | payload
//   80..9f  the right answer to what the link last asked for in that protocol
//   a0..bf  a running timer expires        e0..ef  the network is configured
//   c0..df  an open attempt is answered    f0..ff  the link is terminated from our side (only ff)
import assert from "node:assert/strict";
import { concatBytes, toHex } from "@postern/bytes";
import {
    type AuthenticationAttempt,
    type AuthenticationMethod,
    type AuthenticationResult,
    decodeFrame,
    type LinkPorts,
    type NetworkConfiguration,
    PppLink,
    PROTOCOL,
    type ServerLinkPorts,
    type TimerName,
} from "@postern/ppp";
import { Input } from "./properties.ts";

const PROTOCOLS: readonly number[] = [
    PROTOCOL.lcp,
    PROTOCOL.pap,
    PROTOCOL.chap,
    PROTOCOL.ipcp,
    PROTOCOL.ipv6cp,
    PROTOCOL.ccp,
    PROTOCOL.eap,
    PROTOCOL.ipv4,
];
/** Those whose packets hold no options. */
const AUTHENTICATION: ReadonlySet<number> = new Set([PROTOCOL.pap, PROTOCOL.chap, PROTOCOL.eap]);
const CONTROL_HEADER = 4;
/** More than any one frame, timer or call gives rise to. */
const MOST_FRAMES_AT_ONCE = 8;

const LEASE = "192.0.2.77";
const LEASE_OPTION = ["03", "06", "c0", "00", "02", "4d"];
const NETWORKS: readonly NetworkConfiguration[] = [
    {
        ipv4: { serverAddress: "192.0.2.1", clientAddress: LEASE, dns: ["192.0.2.53", "192.0.2.54"], nbns: [] },
        ipv6: { serverInterfaceId: "0000000000000001", clientInterfaceId: "00000000000000aa" },
    },
    { ipv4: { serverAddress: "192.0.2.1", clientAddress: LEASE, dns: [], nbns: ["192.0.2.9", "192.0.2.10"] } },
];

const RESULTS: readonly AuthenticationResult[] = [
    { outcome: "success", message: `S=${"0".repeat(40)}` },
    { outcome: "failure", failure: { error: 691, retry: true, message: "no" } },
    { outcome: "failure", failure: { error: 649, retry: false, message: "" } },
    { outcome: "challenge-again" },
];

/** EAP Requests of type 4 with the identifiers 2 and 0x55. */
const EAP_REQUEST = Uint8Array.of(1, 2, 0, 6, 4, 0);
const EAP_LAST_REQUEST = Uint8Array.of(1, 0x55, 0, 5, 4);
/** Answers that only an EAP Response may be given. */
const EAP_RESULTS: readonly AuthenticationResult[] = [
    { outcome: "eap-request", packet: EAP_REQUEST },
    { outcome: "eap-request", packet: EAP_LAST_REQUEST, timeoutMs: 1 },
    { outcome: "failure", failure: { error: 691, retry: false, message: "no" }, eapRequest: EAP_LAST_REQUEST },
];

/** Steps, to write seeds and preludes with. */
export const STEP = {
    frame: (protocol: number, ...packet: readonly number[]): Uint8Array =>
        Uint8Array.of(PROTOCOLS.indexOf(protocol), packet.length, ...packet),
    comply: (protocol: number): Uint8Array => Uint8Array.of(0x80 | PROTOCOLS.indexOf(protocol)),
    timer: Uint8Array.of(0xa0),
    accept: Uint8Array.of(0xc0),
    refuse: Uint8Array.of(0xc1),
    eapRequest: Uint8Array.of(0xc4),
    eapRefuse: Uint8Array.of(0xc6),
    configure: Uint8Array.of(0xe0),
    terminate: Uint8Array.of(0xff),
} as const;

type Link = Pick<PppLink, "start" | "onFrame" | "onTimer" | "terminate" | "peerMru">;

/** What a link does to the world, held against what it may do. */
export class PppPeer {
    readonly #link: Link;
    readonly #server: PppLink | undefined;
    readonly #timers = new Set<TimerName>();
    readonly #requests = new Map<number, Uint8Array>();
    #attempts = 0;
    #method: AuthenticationMethod | undefined;
    #verified = false;
    #configured = false;
    #sent = 0;
    #drawn = 0;
    #closed = false;

    /** `create` makes the link with the ports that it is given. */
    constructor(create: (ports: ServerLinkPorts) => Link) {
        this.#link = create(this.#ports());
        this.#server = this.#link instanceof PppLink ? this.#link : undefined;
        this.#link.start();
    }

    run(steps: Uint8Array): this {
        const input = new Input(steps);
        while (!input.empty) {
            const before = this.#sent;
            this.#step(input);
            assert.ok(this.#sent - before <= MOST_FRAMES_AT_ONCE, `${this.#sent - before} frames in answer to one`);
        }
        return this;
    }

    #step(input: Input): void {
        const kind = input.u8();
        const protocol = PROTOCOLS[kind & 0x07] ?? 0;
        if (kind < 0x80) this.#receive(protocol, input.take(input.u8() * ((kind & 0x40) === 0 ? 1 : 16)));
        else if (kind < 0xa0) this.#comply(protocol);
        else if (kind < 0xc0) this.#expire(kind & 0x07);
        else if (kind < 0xe0) this.#answer(this.#resultOf(kind & 0x07));
        else if (kind < 0xf0) this.#configure(NETWORKS[kind & 0x01]);
        else if (kind === 0xff) this.#link.terminate("test");
    }

    /** As a socket hands it over: in memory that is used again as soon as the call returns. */
    #receive(protocol: number, payload: Uint8Array): void {
        const borrowed = Buffer.from(payload);
        this.#link.onFrame(protocol, borrowed);
        borrowed.fill(0xee);
        assert.ok(this.#server?.ipv4Open !== true || this.#verified, "IPv4 passes before the user is verified");
    }

    /** Configure-Ack, or the message that says that PAP succeeded. */
    #comply(protocol: number): void {
        const request = this.#requests.get(protocol);
        if (request === undefined) return;
        this.#receive(
            protocol,
            protocol === PROTOCOL.pap
                ? Uint8Array.of(2, request[1] ?? 0, 0, 5, 0)
                : concatBytes(Uint8Array.of(2), request.subarray(1)),
        );
    }

    #expire(index: number): void {
        const name = [...this.#timers][index % Math.max(1, this.#timers.size)];
        if (name === undefined) return;
        this.#timers.delete(name);
        this.#link.onTimer(name);
    }

    #resultOf(index: number): AuthenticationResult | undefined {
        const results = this.#method === "eap" ? [...RESULTS, ...EAP_RESULTS] : RESULTS;
        return results[index % results.length];
    }

    #answer(result: AuthenticationResult | undefined): void {
        if (this.#attempts === 0 || result === undefined) return;
        this.#attempts -= 1;
        this.#verified ||= result.outcome === "success";
        this.#server?.authenticated(result);
    }

    /** Once, after the success. */
    #configure(network: NetworkConfiguration | undefined): void {
        if (this.#configured || !this.#verified || network === undefined) return;
        this.#configured = this.#server?.phase === "network";
        this.#server?.configureNetwork(network);
    }

    #onSent(frame: Uint8Array): void {
        const { protocol, payload } = decodeFrame(frame);
        const [code, , high = 0, low = 0] = payload;
        assert.equal((high << 8) | low, payload.length, "a packet that is not as long as it says");
        if (code === 1) this.#requests.set(protocol, payload);
        const isConfigure = !AUTHENTICATION.has(protocol) && (code ?? 0) >= 1 && (code ?? 0) <= 4;
        if (isConfigure) assertOptions(payload.subarray(CONTROL_HEADER));
        if (this.#server !== undefined && protocol === PROTOCOL.ipcp && code === 2) assertLease(payload);
        assert.ok(payload.length <= Math.max(1500, this.#link.peerMru), "a frame that is too long for the peer");
    }

    #ports(): ServerLinkPorts & LinkPorts {
        const alive = (): void => assert.equal(this.#closed, false, "something happens after the end");
        return {
            send: (frame) => {
                alive();
                this.#sent += 1;
                this.#onSent(frame);
            },
            startTimer: (name, milliseconds) => {
                alive();
                assert.ok(milliseconds > 0);
                this.#timers.add(name);
            },
            stopTimer: (name) => void this.#timers.delete(name),
            // Always the same numbers, so that a run can be repeated.
            random: (size) => Uint8Array.from({ length: size }, () => (this.#drawn = (this.#drawn * 5 + 7) & 0xff)),
            opened: () => {
                alive();
                assert.ok(
                    this.#server === undefined || this.#verified,
                    "the network opens before the user is verified",
                );
            },
            lost: () => undefined,
            closed: () => {
                alive();
                this.#closed = true;
                assert.deepEqual([...this.#timers], [], "a timer outlives the link");
            },
            authenticate: (attempt: AuthenticationAttempt) => {
                alive();
                this.#attempts += 1;
                assert.equal(this.#attempts, 1, "two attempts at once");
                this.#method = attempt.method;
                assertAttempt(attempt);
            },
        };
    }
}

function assertAttempt(attempt: AuthenticationAttempt): void {
    if (attempt.method === "mschapv2" || attempt.method === "chap") assert.equal(attempt.challenge.length, 16);
    if (attempt.method !== "eap") return;
    const [code, , high = 0, low = 0] = attempt.packet;
    assert.equal(code, 2, "not an EAP Response");
    assert.equal((high << 8) | low, attempt.packet.length, "an EAP packet that is not as long as it says");
}

/** A client is acknowledged its lease, and no other address, nor none. */
function assertLease(acknowledged: Uint8Array): void {
    const options = toHex(acknowledged.subarray(CONTROL_HEADER)).match(/../g) ?? [];
    for (let at = 0; at < options.length; at += Number.parseInt(options[at + 1] ?? "", 16)) {
        if (options[at] === "03") return assert.deepEqual(options.slice(at, at + 6), LEASE_OPTION);
    }
    assert.fail("a client without an address");
}

function assertOptions(options: Uint8Array): void {
    for (let at = 0; at < options.length;) {
        const length = options[at + 1] ?? 0;
        assert.ok(length >= 2 && at + length <= options.length, "an option that is not as long as it says");
        at += length;
    }
}
