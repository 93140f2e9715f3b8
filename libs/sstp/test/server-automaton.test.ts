import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { CALL_TABLE, type CallInput, type CallState, type CallTransition, stepCall } from "@postern/sstp";

// The server's rules of [MS-SSTP] 3.3.5.2 and 3.1.2, transcribed by hand, one column per state:
//
//   CRP connect-request-pending   CCP call-connected-pending     BP  binding-pending     CC  call-connected
//   AP  abort-pending             ATP abort-timeout-pending
//   DAP disconnect-ack-pending    DTP disconnect-timeout-pending D   disconnected
//
// A cell is `-` (cannot happen), `.` (ignored: no change, nothing done) or `next:what is done`, where
//   -n +n -h +h      negotiation, hello timer stopped, started           -a1 +a1 +a2 -d1 +d1 +d2 ...  likewise
//   A5 A? D DA       Abort with status 5 or one from the event, Disconnect, Disconnect Ack sent
//   CA CN EQ ER      Connect Ack, Connect NAK, Echo Request, Echo Response sent
//   up down gate x   lower link up, lower link down, data gate open, connection closed
const SPECIFICATION = `
                            CRP               CCP                 BP                  CC                  AP           ATP       DAP            DTP
connect-request             CCP:-n,CA,up,+n   AP:-n,down,A5,+a1   AP:-n,down,A5,+a1   AP:-h,down,A5,+a1   .            .         .              .
connect-request-unacceptable CRP:CN           AP:-n,down,A5,+a1   AP:-n,down,A5,+a1   AP:-h,down,A5,+a1   .            .         .              .
connect-retries-exceeded    AP:-n,A6,+a1      -                   -                   -                   -            -         -              -
connect-reply               AP:-n,A5,+a1      AP:-n,down,A5,+a1   AP:-n,down,A5,+a1   AP:-h,down,A5,+a1   .            .         .              .
call-connected              AP:-n,A5,+a1      CC:-n,gate,+h       AP:-n,down,A5,+a1   AP:-h,down,A5,+a1   .            .         .              .
call-connected-early        -                 BP:                 -                   -                   -            -         -              -
call-connected-malformed    AP:-n,A5,+a1      AP:-n,down,A9,+a1   AP:-n,down,A5,+a1   AP:-h,down,A5,+a1   .            .         .              .
binding-verified            -                 -                   CC:-n,gate,+h       -                   -            -         -              -
binding-failed              -                 AP:-n,down,A4,+a1   AP:-n,down,A4,+a1   -                   -            -         -              -
disconnect                  DTP:-n,DA,+d2     DTP:-n,down,DA,+d2  DTP:-n,down,DA,+d2  DTP:-h,down,DA,+d2  .            .         DTP:-d1,DA,+d2 .
disconnect-ack              AP:-n,A5,+a1      AP:-n,down,A5,+a1   AP:-n,down,A5,+a1   AP:-h,down,A5,+a1   .            .         D:-d1,x        .
abort                       ATP:-n,A0,+a2     ATP:-n,down,A0,+a2  ATP:-n,down,A0,+a2  ATP:-h,down,A0,+a2  ATP:-a1,+a2  .         ATP:-d1,A0,+a2 .
echo-request                AP:-n,A5,+a1      AP:-n,down,A5,+a1   BP:ER               CC:ER               .            .         .              .
echo-response               AP:-n,A5,+a1      AP:-n,down,A5,+a1   .                   .                   .            .         .              .
invalid-message             AP:-n,A?,+a1      AP:-n,down,A?,+a1   AP:-n,down,A?,+a1   AP:-h,down,A?,+a1   .            .         .              .
negotiation-timeout         AP:A8,+a1         AP:down,A8,+a1      AP:down,A8,+a1      -                   -            -         -              -
hello-timeout               -                 -                   -                   CC:EQ,+h            -            -         -              -
hello-timeout-again         -                 -                   -                   D:down,x            -            -         -              -
abort-1-timeout             -                 -                   -                   -                   D:x          -         -              -
abort-2-timeout             -                 -                   -                   -                   -            D:x       -              -
disconnect-1-timeout        -                 -                   -                   -                   -            -         D:x            -
disconnect-2-timeout        -                 -                   -                   -                   -            -         -              D:x
local-disconnect            DAP:-n,D,+d1      DAP:-n,down,D,+d1   DAP:-n,down,D,+d1   DAP:-h,down,D,+d1   .            .         .              .
local-abort                 AP:-n,A?,+a1      AP:-n,down,A?,+a1   AP:-n,down,A?,+a1   AP:-h,down,A?,+a1   .            .         .              .
restored                    CC:+h             -                   -                   -                   -            -         -              -
stream-closed               D:-n,x            D:-n,down,x         D:-n,down,x         D:-h,down,x         D:-a1,x      D:-a2,x   D:-d1,x        D:-d2,x
framing-lost                D:-n,x            D:-n,down,x         D:-n,down,x         D:-h,down,x         D:-a1,x      D:-a2,x   D:-d1,x        D:-d2,x
`;

const STATES = {
    CRP: "connect-request-pending",
    CCP: "call-connected-pending",
    BP: "binding-pending",
    CC: "call-connected",
    AP: "abort-pending",
    ATP: "abort-timeout-pending",
    DAP: "disconnect-ack-pending",
    DTP: "disconnect-timeout-pending",
    D: "disconnected",
} as const satisfies Readonly<Record<string, CallState>>;

const ABBREVIATION: Readonly<Record<CallState, string>> = Object.fromEntries(
    Object.entries(STATES).map(([short, state]) => [state, short]),
) as Record<CallState, string>; // STATES names each state once

const ACTION = {
    "send-connect-ack": "CA",
    "send-connect-nak": "CN",
    "send-disconnect": "D",
    "send-disconnect-ack": "DA",
    "send-echo-request": "EQ",
    "send-echo-response": "ER",
    "lower-link-up": "up",
    "lower-link-down": "down",
    "open-data-gate": "gate",
    close: "x",
} as const;

const TIMER = {
    negotiation: "n",
    hello: "h",
    "abort-1": "a1",
    "abort-2": "a2",
    "disconnect-1": "d1",
    "disconnect-2": "d2",
} as const;

function print(state: CallState, transition: CallTransition | undefined): string {
    if (transition === undefined) return "-";
    const { next, stop, actions, start, status } = transition;
    const done = [
        ...(stop === undefined ? [] : [`-${TIMER[stop]}`]),
        ...actions.map((action) => (action === "send-abort" ? `A${status ?? "?"}` : ACTION[action])),
        ...(start === undefined ? [] : [`+${TIMER[start]}`]),
    ];
    return next === state && done.length === 0 ? "." : `${ABBREVIATION[next]}:${done.join(",")}`;
}

const [header = [], ...rows] = SPECIFICATION.trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
const INPUTS = rows.map(([input]) => input as CallInput); // compared with the table's below
const COLUMNS = header.map((short) => STATES[short as keyof typeof STATES]); // compared with the table's below

describe("the table is the specification's", () => {
    for (const [input = "", ...cells] of rows) {
        test(input, () => {
            assert.equal(cells.length, COLUMNS.length);
            for (const [index, state] of COLUMNS.entries()) {
                assert.equal(print(state, CALL_TABLE[state][input as CallInput]), cells[index], state); // one of INPUTS
            }
        });
    }

    test("the transcript leaves out no input and no state", () => {
        const known = new Set<string>(INPUTS);
        assert.equal(known.size, INPUTS.length);
        for (const row of Object.values(CALL_TABLE)) {
            for (const input of Object.keys(row)) assert.ok(known.has(input), input);
        }
        assert.deepEqual(new Set([...COLUMNS, "disconnected"]), new Set(Object.keys(CALL_TABLE)));
        assert.deepEqual(CALL_TABLE.disconnected, {}, "the end has no exit");
    });
});

test("an empty cell is an error", () => {
    const states = Object.keys(CALL_TABLE) as CallState[]; // the table has every state
    for (const state of states) {
        for (const input of INPUTS) {
            const transition = CALL_TABLE[state][input];
            if (transition === undefined) assert.throws(() => stepCall(state, input), { code: "INVARIANT" });
            else assert.equal(stepCall(state, input), transition);
        }
    }
});

test("on every path: timers, link, gate and close pair up", () => {
    fc.assert(
        fc.property(fc.array(fc.nat(), { maxLength: 40 }), (choices) => {
            let state: CallState = "connect-request-pending";
            const timers = new Set<string>(["negotiation"]);
            let link = "never up";
            let gate = false;
            let closed = 0;
            for (const choice of choices) {
                const row: Readonly<Partial<Record<CallInput, CallTransition>>> = CALL_TABLE[state];
                const possible = INPUTS.filter((input) => input !== "restored" && row[input] !== undefined);
                const input = possible[choice % possible.length];
                if (input === undefined) break;
                const transition = stepCall(state, input);
                const expired = /^(.*)-timeout/.exec(input)?.[1];
                if (expired !== undefined) assert.ok(timers.delete(expired), "expires while running");
                if (transition.stop !== undefined) assert.ok(timers.delete(transition.stop), "stops a running timer");
                for (const action of transition.actions) {
                    assert.equal(closed, 0, "nothing is done after the close");
                    if (action === "lower-link-up") {
                        assert.equal(link, "never up");
                        link = "up";
                    } else if (action === "lower-link-down") {
                        assert.equal(link, "up");
                        link = "down";
                        gate = false;
                    } else if (action === "open-data-gate") {
                        assert.equal(link, "up");
                        gate = true;
                    } else if (action === "close") closed += 1;
                }
                if (transition.start !== undefined) timers.add(transition.start);
                state = transition.next;
                assert.equal(gate, state === "call-connected", "the gate is open exactly in call-connected");
                assert.equal(timers.size, state === "disconnected" ? 0 : 1, `one timer bounds ${state}`);
            }
            assert.equal(closed, state === "disconnected" ? 1 : 0);
        }),
        { numRuns: 2000 },
    );
});
