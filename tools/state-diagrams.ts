// State diagrams (Mermaid) of the executable tables: what is drawn is what runs.
import { AUTOMATON_TABLE } from "@postern/ppp";
import { CALL_TABLE } from "@postern/sstp";

interface Transition {
    readonly next: string;
    readonly actions: readonly string[];
}

type Table = Readonly<Record<string, Readonly<Partial<Record<string, Transition>>>>>;

interface Drawing {
    readonly title: string;
    /** Where the table is. */
    readonly source: string;
    readonly begin: string;
    readonly table: Table;
}

const DRAWINGS: Readonly<Record<string, Drawing>> = {
    "ppp-automaton.mmd": {
        title: "Option negotiation automaton of LCP, IPCP and IPV6CP, RFC 1661 §4.1",
        source: "libs/ppp/src/automaton.ts",
        begin: "initial",
        table: AUTOMATON_TABLE,
    },
    "sstp-server-call.mmd": {
        title: "Server call machine, [MS-SSTP] 3.3",
        source: "libs/sstp/src/server-automaton.ts",
        begin: "connect-request-pending",
        table: CALL_TABLE,
    },
};

/** The text of every diagram, by its file name in docs/diagrams. */
export const stateDiagrams = (): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.entries(DRAWINGS).map(([file, drawing]) => [file, draw(drawing)]));

/** Inputs that change nothing and do nothing are left out; those with the same effect share an arrow. */
function draw({ title, source, begin, table }: Drawing): string {
    const arrows = Object.entries(table).flatMap(([state, row]) => {
        const effects = new Map<string, { readonly next: string; readonly lines: Map<string, string[]> }>();
        for (const [input, transition] of Object.entries(row)) {
            if (transition === undefined) continue;
            const { next, actions } = transition;
            if (next === state && actions.length === 0) continue;
            const effect = effects.get(next) ?? { next, lines: new Map<string, string[]>() };
            effects.set(next, effect);
            const done = actions.join(", ");
            effect.lines.set(done, [...(effect.lines.get(done) ?? []), input]);
        }
        return [...effects.values()].map(({ next, lines }) => arrow(state, next, lines));
    });
    return [
        `%% ${title}.`,
        `%% Made from ${source} by tools/write-diagrams.ts; a test fails when it is not current.`,
        "%% input / actions in their order.  Timers, and inputs that change nothing and do nothing, are left out.",
        "stateDiagram-v2",
        "    direction LR",
        ...Object.keys(table).map((state) => `    state "${state}" as ${idOf(state)}`),
        `    [*] --> ${idOf(begin)}`,
        ...arrows,
        "",
    ].join("\n");
}

function arrow(from: string, to: string, lines: ReadonlyMap<string, readonly string[]>): string {
    const label = [...lines].map(([actions, inputs]) => [inputs.join(", "), actions].filter(Boolean).join(" / "));
    return `    ${idOf(from)} --> ${idOf(to)}: ${label.join("<br/>")}`;
}

const idOf = (state: string): string => state.replaceAll("-", "_");
