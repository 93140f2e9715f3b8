import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import fc from "fast-check";
import { fromHex, toHex } from "@postern/bytes";
import { PppError } from "@postern/ppp";
import { restartTimerRuns } from "../src/automaton.ts";
import { MAX_CONFIGURE, MAX_FAILURE, MAX_ROUNDS, MAX_TERMINATE, RESTART_TIMEOUT_MS } from "../src/constants.ts";
import { decodeControlPacket } from "../src/control-packet.ts";
import { Identifiers } from "../src/identifiers.ts";
import { Negotiation } from "../src/negotiation.ts";
import { ACK, nak, type OptionHandler, type Verdict } from "../src/option-handler.ts";
import { packet } from "./support/raw-peer.ts";

/** Option 9: we ask for 0a0b until it is rejected; from the peer we take 01 and suggest it. */
class SampleOption implements OptionHandler {
    readonly type = 9;
    value: Uint8Array | undefined = fromHex("0a0b");
    agreed: (string | undefined)[] = [];
    demanded = false;

    request(): Uint8Array | undefined {
        return this.value;
    }
    naked(value: Uint8Array): void {
        this.value = value.slice();
    }
    rejected(): void {
        this.value = undefined;
    }
    judge(value: Uint8Array): Verdict {
        return toHex(value) === "01" ? ACK : nak(Uint8Array.of(1));
    }
    demand(): Uint8Array | undefined {
        return this.demanded ? Uint8Array.of(1) : undefined;
    }
    accepted(value: Uint8Array | undefined): void {
        this.agreed.push(value && toHex(value));
    }
}

class Harness {
    readonly option = new SampleOption();
    readonly log: string[] = [];
    timer: number | undefined;
    mayRenegotiate = true;
    readonly negotiation = new Negotiation([this.option], new Identifiers(0), {
        send: (bytes) => this.log.push(toHex(bytes)),
        startTimer: (milliseconds) => (this.timer = milliseconds),
        stopTimer: () => (this.timer = undefined),
        up: () => this.log.push("up"),
        down: () => this.log.push("down"),
        finished: (cause) => this.log.push(`finished ${cause}`),
        mayRenegotiate: () => this.mayRenegotiate,
        peerMru: () => 20,
    });

    take(): readonly string[] {
        return this.log.splice(0);
    }

    say(hex: string): boolean {
        return this.negotiation.onPacket(decodeControlPacket(fromHex(hex)));
    }

    /** Fires the restart timer, which must be running. */
    timeout(): readonly string[] {
        assert.equal(this.timer, RESTART_TIMEOUT_MS);
        this.timer = undefined;
        this.negotiation.onTimer();
        return this.take();
    }

    open(): this {
        this.negotiation.start();
        this.say(packet(2, 0, "09040a0b"));
        this.say(packet(1, 0x41, "090301"));
        assert.ok(this.negotiation.opened);
        this.take();
        return this;
    }
}

let harness: Harness;
beforeEach(() => {
    harness = new Harness();
});

describe("the restart timer and counter, RFC 1661 §4.6", () => {
    test("the same Configure-Request goes out ten times, three seconds apart, then the layer finishes", () => {
        harness.negotiation.start();
        const first = harness.take();
        assert.deepEqual(first, [packet(1, 0, "09040a0b")]);
        for (let sent = 1; sent < MAX_CONFIGURE; sent += 1) assert.deepEqual(harness.timeout(), first);
        assert.deepEqual(harness.timeout(), ["finished timeout"]);
        assert.equal(harness.timer, undefined);
    });

    test("Terminate-Request goes out twice", () => {
        harness.open().negotiation.close();
        assert.deepEqual(harness.take(), ["down", packet(5, 1)]);
        for (let sent = 1; sent < MAX_TERMINATE; sent += 1) assert.deepEqual(harness.timeout(), [packet(5, 1 + sent)]);
        assert.deepEqual(harness.timeout(), ["finished closed"]);
    });

    test("a peer's Terminate-Request is acknowledged, and the layer finishes one timeout later", () => {
        harness.open();
        harness.say(packet(5, 0x99, "6279"));
        assert.deepEqual(harness.take(), ["down", packet(6, 0x99)]);
        assert.deepEqual(harness.timeout(), ["finished peer"]);
    });

    test("a late timer of a state without one is ignored", () => {
        harness.open().negotiation.onTimer();
        assert.deepEqual(harness.take(), []);
    });
});

describe("answers to our request", () => {
    test("Ack opens one direction, the peer's request the other", () => {
        harness.negotiation.start();
        harness.say(packet(2, 0, "09040a0b"));
        assert.deepEqual(harness.take(), [packet(1, 0, "09040a0b")]);
        harness.say(packet(1, 7, "090301"));
        assert.deepEqual(harness.take(), [packet(2, 7, "090301"), "up"]);
        assert.deepEqual(harness.option.agreed, ["01"]);
        assert.equal(harness.timer, undefined);
    });

    for (const [name, hex] of [
        ["another identifier", packet(2, 1, "09040a0b")],
        ["an Ack of something else", packet(2, 0, "09040a0c")],
        ["a Reject of an option that we did not send", packet(4, 0, "0704ffff")],
        ["an empty Nak", packet(3, 0)],
    ] as const) {
        test(`${name} is discarded`, () => {
            harness.negotiation.start();
            harness.take();
            assert.equal(harness.say(hex), false);
            assert.deepEqual(harness.take(), []);
        });
    }

    test("a second Ack of the same request does not take down what is open", () => {
        harness.open();
        assert.equal(harness.say(packet(2, 0, "09040a0b")), false);
        assert.deepEqual(harness.take(), []);
    });

    test("Nak changes the value, Reject leaves the option out, each in a request with a new identifier", () => {
        harness.negotiation.start();
        harness.say(packet(3, 0, "09040c0d"));
        harness.say(packet(4, 1, "09040c0d"));
        assert.deepEqual(harness.take(), [packet(1, 0, "09040a0b"), packet(1, 1, "09040c0d"), packet(1, 2)]);
    });

    test("a malformed answer is the peer's fault and changes nothing", () => {
        harness.negotiation.start();
        harness.take();
        assert.throws(() => harness.say(packet(3, 0, "0909")), PppError);
        assert.equal(harness.negotiation.state, "req-sent");
    });
});

describe("answers to the peer's request", () => {
    beforeEach(() => {
        harness.negotiation.start();
        harness.take();
    });

    test("unknown options are rejected before wrong values are mentioned", () => {
        harness.say(packet(1, 5, "090302 0702"));
        harness.say(packet(1, 6, "090302"));
        assert.deepEqual(harness.take(), [packet(4, 5, "0702"), packet(3, 6, "090301")]);
    });

    test("an option given twice is rejected the second time", () => {
        harness.say(packet(1, 5, "090301 090301"));
        assert.deepEqual(harness.take(), [packet(4, 5, "090301")]);
    });

    test("no options at all is fine", () => {
        harness.say(packet(1, 5));
        assert.deepEqual(harness.take(), [packet(2, 5)]);
        assert.deepEqual(harness.option.agreed, [undefined]);
    });

    test("what we insist on is appended to a Nak", () => {
        harness.option.demanded = true;
        harness.say(packet(1, 5));
        assert.deepEqual(harness.take(), [packet(3, 5, "090301")]);
    });

    test("after five Naks the sixth is a Reject, RFC 1661 §4.6", () => {
        const answers = Array.from({ length: MAX_FAILURE + 1 }, (_, id) => {
            harness.say(packet(1, id, "090302"));
            return harness.take()[0]?.slice(0, 2);
        });
        assert.deepEqual(answers, [...Array<string>(MAX_FAILURE).fill("03"), "04"]);
    });

    test("a peer that still leaves out what we insist on ends the layer", () => {
        harness.option.demanded = true;
        for (let id = 0; id < MAX_FAILURE; id += 1) harness.say(packet(1, id));
        harness.take();
        harness.say(packet(1, MAX_FAILURE));
        assert.deepEqual(harness.take(), [packet(5, 1)]);
        harness.say(packet(6, 1));
        assert.deepEqual(harness.take(), ["finished not-converging"]);
    });
});

test("two ends that never agree stop: Naks and Rejects have a limit in both directions", () => {
    harness.negotiation.start();
    let rounds = 0;
    while (harness.negotiation.state === "req-sent") {
        assert.ok((rounds += 1) <= MAX_ROUNDS + 1);
        const [request = ""] = harness.take();
        harness.say(packet(3, Number.parseInt(request.slice(2, 4), 16), `0904${rounds.toString(16).padStart(4, "0")}`));
    }
    assert.equal(harness.negotiation.state, "closing");
});

describe("an open layer", () => {
    beforeEach(() => {
        harness.open();
    });

    test("answers a repeated Configure-Request again and stays open", () => {
        harness.say(packet(1, 0x41, "090301"));
        assert.deepEqual(harness.take(), [packet(2, 0x41, "090301")]);
    });

    test("negotiates again at a new one", () => {
        harness.say(packet(1, 0x42, "090301"));
        assert.deepEqual(harness.take(), ["down", packet(1, 1, "09040a0b"), packet(2, 0x42, "090301")]);
        harness.say(packet(2, 1, "09040a0b"));
        assert.deepEqual(harness.take(), ["up"]);
    });

    test("may be negotiated again any number of times: agreement resets what counts against a peer", () => {
        for (let turn = 0; turn < 2 * MAX_ROUNDS; turn += 1) {
            harness.say(packet(1, 0x50, "090302"));
            const [, request = "", answer] = harness.take();
            assert.equal(answer, packet(3, 0x50, "090301"), `turn ${turn}`);
            harness.say(packet(2, Number.parseInt(request.slice(2, 4), 16), "09040a0b"));
            harness.say(packet(1, 0x51, "090301"));
            assert.deepEqual(harness.take(), [packet(2, 0x51, "090301"), "up"]);
        }
    });

    test("does not when it may not", () => {
        harness.mayRenegotiate = false;
        harness.say(packet(1, 0x42, "090301"));
        harness.say(packet(1, 0x43, "090302"));
        harness.say(packet(6, 0x44));
        assert.deepEqual(harness.take(), []);
        assert.ok(harness.negotiation.opened);
    });

    test("rejects an unknown code, with as much of the packet as the peer takes", () => {
        harness.say(packet(77, 9, "ab".repeat(30)));
        assert.deepEqual(harness.take(), [packet(7, 1, packet(77, 9, "ab".repeat(30)).slice(0, 2 * (20 - 4)))]);
        assert.ok(harness.negotiation.opened);
    });

    test("ends when the peer rejects a code that PPP cannot do without, and only then", () => {
        harness.say(packet(7, 0, packet(9, 0)));
        assert.deepEqual(harness.take(), []);
        harness.say(packet(7, 0, packet(1, 0)));
        assert.deepEqual(harness.take(), ["down", packet(5, 1)]);
        harness.say(packet(6, 1));
        assert.deepEqual(harness.take(), ["finished refused"]);
    });

    test("ends when its protocol is rejected", () => {
        harness.negotiation.protocolRejected();
        assert.deepEqual(harness.take(), ["down", packet(5, 1)]);
    });
});

test("a closed layer answers with Terminate-Ack", () => {
    harness.open().negotiation.close();
    harness.say(packet(6, 1));
    harness.take();
    harness.say(packet(1, 3, "090301"));
    assert.deepEqual(harness.take(), [packet(6, 3)]);
});

test("packets before the lower layer is up are discarded", () => {
    assert.equal(harness.say(packet(1, 3)), false);
    assert.deepEqual(harness.take(), []);
});

test("whatever the peer says: up and down alternate, and the timer runs exactly where the RFC has it run", () => {
    const identifier = fc.integer({ min: 0, max: 3 });
    const data = fc.constantFrom("", "090301", "090302", "09040a0b", "0702", "0909", "01000004", "0a");
    const said = fc.record({ code: fc.integer({ min: 1, max: 14 }), identifier, data });
    const step = fc.oneof({ arbitrary: said, weight: 6 }, { arbitrary: fc.constant("timeout"), weight: 1 });
    fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
            const target = new Harness();
            target.negotiation.start();
            for (const next of steps) {
                try {
                    if (typeof next === "string") target.negotiation.onTimer();
                    else target.say(packet(next.code, next.identifier, next.data));
                } catch (error) {
                    assert.ok(error instanceof PppError, String(error));
                }
                assert.equal(target.timer !== undefined, restartTimerRuns(target.negotiation.state));
            }
            const ups = target.log.filter((entry) => entry === "up" || entry === "down");
            assert.ok(ups.every((entry, at) => entry === (at % 2 === 0 ? "up" : "down")));
            assert.equal(ups.length % 2 === 1, target.negotiation.opened);
        }),
    );
});
