// Option negotiation automaton, RFC 1661 §4.1; shared by LCP, IPCP and IPV6CP.
// Everything that changes an automaton's state is here.  The table is the RFC's, one row per state; of its footnotes
// none is taken up: no restart option [r], no passive option [p], a crossed connection [x] is negotiated anew.
import { InvariantError } from "@postern/errors";

export type State =
    | "initial"
    | "starting"
    | "closed"
    | "stopped"
    | "closing"
    | "stopping"
    | "req-sent"
    | "ack-rcvd"
    | "ack-sent"
    | "opened";

export type Input =
    | "up"
    | "down"
    | "open"
    | "close"
    | "to+"
    | "to-"
    | "rcr+"
    | "rcr-"
    | "rca"
    | "rcn"
    | "rtr"
    | "rta"
    | "ruc"
    | "rxj+"
    | "rxj-"
    | "rxr";

export type Action =
    | "tlu"
    | "tld"
    | "tls"
    | "tlf"
    | "irc"
    | "zrc"
    | "scr"
    | "sca"
    | "scn"
    | "str"
    | "sta"
    | "scj"
    | "ser";

export interface Transition {
    readonly next: State;
    readonly actions: readonly Action[];
}

const go = (next: State, ...actions: readonly Action[]): Transition => ({ next, actions });

// oxfmt-ignore
export const TABLE: Readonly<Record<State, Readonly<Partial<Record<Input, Transition>>>>> = {
    initial: { up: go("closed"), open: go("starting", "tls"), close: go("initial") },
    starting: { up: go("req-sent", "irc", "scr"), open: go("starting"), close: go("initial", "tlf") },
    closed: {
        down: go("initial"), open: go("req-sent", "irc", "scr"), close: go("closed"),
        "rcr+": go("closed", "sta"), "rcr-": go("closed", "sta"),
        rca: go("closed", "sta"), rcn: go("closed", "sta"),
        rtr: go("closed", "sta"), rta: go("closed"),
        ruc: go("closed", "scj"), "rxj+": go("closed"), "rxj-": go("closed", "tlf"), rxr: go("closed"),
    },
    stopped: {
        down: go("starting", "tls"), open: go("stopped"), close: go("closed"),
        "rcr+": go("ack-sent", "irc", "scr", "sca"), "rcr-": go("req-sent", "irc", "scr", "scn"),
        rca: go("stopped", "sta"), rcn: go("stopped", "sta"),
        rtr: go("stopped", "sta"), rta: go("stopped"),
        ruc: go("stopped", "scj"), "rxj+": go("stopped"), "rxj-": go("stopped", "tlf"), rxr: go("stopped"),
    },
    closing: {
        down: go("initial"), open: go("stopping"), close: go("closing"),
        "to+": go("closing", "str"), "to-": go("closed", "tlf"),
        "rcr+": go("closing"), "rcr-": go("closing"), rca: go("closing"), rcn: go("closing"),
        rtr: go("closing", "sta"), rta: go("closed", "tlf"),
        ruc: go("closing", "scj"), "rxj+": go("closing"), "rxj-": go("closed", "tlf"), rxr: go("closing"),
    },
    stopping: {
        down: go("starting"), open: go("stopping"), close: go("closing"),
        "to+": go("stopping", "str"), "to-": go("stopped", "tlf"),
        "rcr+": go("stopping"), "rcr-": go("stopping"), rca: go("stopping"), rcn: go("stopping"),
        rtr: go("stopping", "sta"), rta: go("stopped", "tlf"),
        ruc: go("stopping", "scj"), "rxj+": go("stopping"), "rxj-": go("stopped", "tlf"), rxr: go("stopping"),
    },
    "req-sent": {
        down: go("starting"), open: go("req-sent"), close: go("closing", "irc", "str"),
        "to+": go("req-sent", "scr"), "to-": go("stopped", "tlf"),
        "rcr+": go("ack-sent", "sca"), "rcr-": go("req-sent", "scn"),
        rca: go("ack-rcvd", "irc"), rcn: go("req-sent", "irc", "scr"),
        rtr: go("req-sent", "sta"), rta: go("req-sent"),
        ruc: go("req-sent", "scj"), "rxj+": go("req-sent"), "rxj-": go("stopped", "tlf"), rxr: go("req-sent"),
    },
    "ack-rcvd": {
        down: go("starting"), open: go("ack-rcvd"), close: go("closing", "irc", "str"),
        "to+": go("req-sent", "scr"), "to-": go("stopped", "tlf"),
        "rcr+": go("opened", "sca", "tlu"), "rcr-": go("ack-rcvd", "scn"),
        rca: go("req-sent", "scr"), rcn: go("req-sent", "scr"),
        rtr: go("req-sent", "sta"), rta: go("req-sent"),
        ruc: go("ack-rcvd", "scj"), "rxj+": go("req-sent"), "rxj-": go("stopped", "tlf"), rxr: go("ack-rcvd"),
    },
    "ack-sent": {
        down: go("starting"), open: go("ack-sent"), close: go("closing", "irc", "str"),
        "to+": go("ack-sent", "scr"), "to-": go("stopped", "tlf"),
        "rcr+": go("ack-sent", "sca"), "rcr-": go("req-sent", "scn"),
        rca: go("opened", "irc", "tlu"), rcn: go("ack-sent", "irc", "scr"),
        rtr: go("req-sent", "sta"), rta: go("ack-sent"),
        ruc: go("ack-sent", "scj"), "rxj+": go("ack-sent"), "rxj-": go("stopped", "tlf"), rxr: go("ack-sent"),
    },
    opened: {
        down: go("starting", "tld"), open: go("opened"), close: go("closing", "tld", "irc", "str"),
        "rcr+": go("ack-sent", "tld", "scr", "sca"), "rcr-": go("req-sent", "tld", "scr", "scn"),
        rca: go("req-sent", "tld", "scr"), rcn: go("req-sent", "tld", "scr"),
        rtr: go("stopping", "tld", "zrc", "sta"), rta: go("req-sent", "tld", "scr"),
        ruc: go("opened", "scj"), "rxj+": go("opened"), "rxj-": go("stopping", "tld", "irc", "str"),
        rxr: go("opened", "ser"),
    },
};

/** Pure: the caller performs `actions` in order.  A "-" cell of the RFC is a bug in the caller and changes nothing. */
export function step(state: State, input: Input): Transition {
    const transition = TABLE[state][input];
    if (transition === undefined) throw new InvariantError(`${input} in ${state}`);
    return transition;
}

/** RFC 1661 §4.1: the restart timer runs exactly in the states that accept a timeout. */
export const restartTimerRuns = (state: State): boolean => TABLE[state]["to+"] !== undefined;

/** Whether packets may be handed to the automaton: the lower layer is up. */
export const receives = (state: State): boolean => TABLE[state].rtr !== undefined;

/** States in which a Configure-Request is judged and not just acknowledged away. */
export const negotiates = (state: State): boolean =>
    receives(state) && state !== "closed" && state !== "closing" && state !== "stopping";
