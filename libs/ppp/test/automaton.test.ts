import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "@postern/errors";
import {
    type Action,
    type Input,
    restartTimerRuns,
    type State,
    step,
    TABLE,
    type Transition,
} from "../src/automaton.ts";

// RFC 1661 §4.1 as printed: actions/next state.  The letters r, p and x mark footnotes about options that we do not take.
const RFC_1661_FIRST_HALF = `
   Events| Initial   Starting  Closed    Stopped   Closing   Stopping
    Up   |    2     irc,scr/6     -         -         -         -
    Down |    -         -         0       tls/1       0         1
    Open |  tls/1       1     irc,scr/6     3r        5r        5r
    Close|    0       tlf/0       2         2         4         4
     TO+ |    -         -         -         -       str/4     str/5
     TO- |    -         -         -         -       tlf/2     tlf/3
    RCR+ |    -         -       sta/2 irc,scr,sca/8   4         5
    RCR- |    -         -       sta/2 irc,scr,scn/6   4         5
    RCA  |    -         -       sta/2     sta/3       4         5
    RCN  |    -         -       sta/2     sta/3       4         5
    RTR  |    -         -       sta/2     sta/3     sta/4     sta/5
    RTA  |    -         -         2         3       tlf/2     tlf/3
    RUC  |    -         -       scj/2     scj/3     scj/4     scj/5
    RXJ+ |    -         -         2         3         4         5
    RXJ- |    -         -       tlf/2     tlf/3     tlf/2     tlf/3
    RXR  |    -         -         2         3         4         5
`;
const RFC_1661_SECOND_HALF = `
   Events| Req-Sent  Ack-Rcvd  Ack-Sent    Opened
    Up   |    -         -         -           -
    Down |    1         1         1         tld/1
    Open |    6         7         8           9r
    Close|irc,str/4 irc,str/4 irc,str/4 tld,irc,str/4
     TO+ |  scr/6     scr/6     scr/8         -
     TO- | tlf/3p    tlf/3p    tlf/3p         -
    RCR+ |  sca/8   sca,tlu/9   sca/8   tld,scr,sca/8
    RCR- |  scn/6     scn/7     scn/6   tld,scr,scn/6
    RCA  |  irc/7     scr/6x  irc,tlu/9   tld,scr/6x
    RCN  |irc,scr/6   scr/6x  irc,scr/8   tld,scr/6x
    RTR  |  sta/6     sta/6     sta/6   tld,zrc,sta/5
    RTA  |    6         6         8       tld,scr/6
    RUC  |  scj/6     scj/7     scj/8       scj/9
    RXJ+ |    6         6         8           9
    RXJ- |  tlf/3     tlf/3     tlf/3   tld,irc,str/5
    RXR  |    6         7         8         ser/9
`;

const STATES: readonly State[] = [
    "initial",
    "starting",
    "closed",
    "stopped",
    "closing",
    "stopping",
    "req-sent",
    "ack-rcvd",
    "ack-sent",
    "opened",
];

interface Cell {
    readonly state: State;
    readonly input: Input;
    readonly text: string;
}

function cellsOf(table: string, firstState: number): readonly Cell[] {
    const rows = table
        .trim()
        .split("\n")
        .slice(1)
        .map((row) => row.split("|"));
    return rows.flatMap(([event = "", cells = ""]) =>
        cells
            .trim()
            .split(/\s+/)
            .map((text, column) => ({
                state: STATES[firstState + column] ?? "initial",
                input: event.trim().toLowerCase() as Input, // the next test compares the set of inputs
                text,
            })),
    );
}

const CELLS = [...cellsOf(RFC_1661_FIRST_HALF, 0), ...cellsOf(RFC_1661_SECOND_HALF, 6)];

function expectedOf(text: string): { next: State | undefined; actions: readonly string[] } {
    const [actions, next] = text.includes("/") ? text.split("/") : ["", text];
    return {
        next: STATES[Number.parseInt(next ?? "", 10)],
        actions: actions === "" || actions === undefined ? [] : actions.split(","),
    };
}

describe("the table is that of RFC 1661 §4.1", () => {
    test("it has all the cells", () => {
        assert.equal(CELLS.length, 16 * 10);
        assert.deepEqual(Object.keys(TABLE), STATES);
        const known = new Set(CELLS.map(({ input }) => input));
        const used = new Set(Object.values(TABLE).flatMap((row) => Object.keys(row)));
        assert.deepEqual([...used].sort(), [...known].sort());
    });

    for (const { state, input, text } of CELLS) {
        test(`${input} in ${state}: ${text}`, () => {
            if (text === "-") {
                assert.throws(() => step(state, input), InvariantError);
                return;
            }
            const { next, actions } = step(state, input);
            assert.deepEqual({ next, actions }, expectedOf(text));
        });
    }
});

const INPUTS = [...new Set(CELLS.map(({ input }) => input))];

test("whatever comes: up and down alternate, and `opened` is entered exactly by This-Layer-Up", () => {
    fc.assert(
        fc.property(fc.array(fc.constantFrom(...INPUTS), { maxLength: 200 }), (inputs) => {
            let state: State = "initial";
            let up = false;
            for (const input of inputs) {
                if (TABLE[state][input] === undefined) continue;
                const { next, actions }: Transition = step(state, input);
                const entered: boolean = next === "opened" && state !== "opened";
                const left: boolean = state === "opened" && next !== "opened";
                assert.equal(actions.includes("tlu"), entered, `${input} in ${state}`);
                assert.equal(actions.includes("tld"), left, `${input} in ${state}`);
                if (entered || left) up = !up;
                assert.equal(up, next === "opened");
                state = next;
            }
        }),
    );
});

test("every Configure- and Terminate-Request is sent into a state that waits for its timer", () => {
    const waits: readonly Action[] = ["scr", "str", "zrc"];
    for (const [state, row] of Object.entries(TABLE)) {
        for (const { next, actions } of Object.values(row)) {
            if (actions.some((action) => waits.includes(action))) assert.ok(restartTimerRuns(next), state);
        }
    }
});

test("no peer can keep an automaton from ending: from every state, timeouts lead to where no timer runs", () => {
    for (const state of STATES.filter((candidate) => restartTimerRuns(candidate))) {
        assert.equal(restartTimerRuns(step(state, "to-").next), false, state);
    }
});
