// Server call machine, [MS-SSTP] 3.3.1 and 3.3.5, with the ending states of 3.1.1.1 that both sides share.
// Everything that changes a call's state is here.  The table has one row per state.
//
// Left out: the In_Progress states, which the specification enters and leaves within one event, and Server_Call_Disconnected
// as a beginning, since a call begins with its HTTPS connection.
// Added: `binding-pending`.  A Call Connected may come before the authentication result that its compound MAC depends on; that
// client is in Client_Call_Connected and may send echo requests already.
import { InvariantError } from "@postern/errors";
import { STATUS, type TimerName } from "./constants.ts";

export type CallState =
    | "connect-request-pending"
    | "call-connected-pending"
    | "binding-pending"
    | "call-connected"
    | "abort-pending"
    | "abort-timeout-pending"
    | "disconnect-ack-pending"
    | "disconnect-timeout-pending"
    | "disconnected";

/** A message from the client.  Which of two variants it is depends on its content, which only one state looks at. */
type CallMessage =
    | "connect-request"
    | "connect-request-unacceptable"
    | "connect-reply" // an Ack or a NAK, which only a server sends
    | "call-connected"
    | "call-connected-malformed"
    | "disconnect"
    | "disconnect-ack"
    | "abort"
    | "echo-request"
    | "echo-response"
    | "invalid-message";

export type CallInput =
    | CallMessage
    | "connect-retries-exceeded"
    | "call-connected-early" // the authentication result is still to come
    | "binding-verified"
    | "binding-failed"
    | "negotiation-timeout"
    | "hello-timeout"
    | "hello-timeout-again" // nothing was received since the first
    | "abort-1-timeout"
    | "abort-2-timeout"
    | "disconnect-1-timeout"
    | "disconnect-2-timeout"
    | "local-disconnect"
    | "local-abort"
    | "restored" // from the snapshot of a connected call
    | "stream-closed"
    | "framing-lost";

export type CallAction =
    | "send-connect-ack"
    | "send-connect-nak"
    | "send-abort"
    | "send-disconnect"
    | "send-disconnect-ack"
    | "send-echo-request"
    | "send-echo-response"
    | "lower-link-up"
    | "lower-link-down"
    | "open-data-gate"
    | "close";

/** What an input does: the timer to stop, the actions in their order, the timer to start, in this order. */
export interface CallTransition {
    readonly next: CallState;
    readonly stop?: TimerName;
    readonly actions: readonly CallAction[];
    readonly start?: TimerName;
    /** Status of the `send-abort` among the actions, where the specification fixes it. */
    readonly status?: number;
}

type Row = Readonly<Partial<Record<CallInput, CallTransition>>>;

/** What a state lets go of when it is left: its timer, and PPP if PPP was told that the link is up. */
interface Leaving {
    readonly stop?: TimerName;
    readonly actions: readonly CallAction[];
}

const stay = (state: CallState, ...actions: CallAction[]): CallTransition => ({ next: state, actions });

const leave = (from: Leaving, next: CallState, ...actions: CallAction[]): CallTransition => ({
    next,
    ...from,
    actions: [...from.actions, ...actions],
});

const abort = (from: Leaving, status?: number): CallTransition => ({
    ...leave(from, "abort-pending", "send-abort"),
    start: "abort-1",
    ...(status === undefined ? {} : { status }),
});

const answerAbort = (from: Leaving): CallTransition => ({
    ...leave(from, "abort-timeout-pending", "send-abort"),
    start: "abort-2",
    status: STATUS.noError,
});

const answerDisconnect = (from: Leaving): CallTransition => ({
    ...leave(from, "disconnect-timeout-pending", "send-disconnect-ack"),
    start: "disconnect-2",
});

const close = (from: Leaving): CallTransition => leave(from, "disconnected", "close");

/** A state before the farewell.  A message that `own` does not name is an unaccepted frame. */
function live(from: Leaving, own: Row): Row {
    const unaccepted = abort(from, STATUS.unacceptedFrameReceived);
    return {
        "connect-request": unaccepted,
        "connect-request-unacceptable": unaccepted,
        "connect-reply": unaccepted,
        "call-connected": unaccepted,
        "call-connected-malformed": unaccepted,
        disconnect: answerDisconnect(from),
        "disconnect-ack": unaccepted,
        abort: answerAbort(from),
        "echo-request": unaccepted,
        "echo-response": unaccepted,
        "invalid-message": abort(from),
        "local-disconnect": { ...leave(from, "disconnect-ack-pending", "send-disconnect"), start: "disconnect-1" },
        "local-abort": abort(from),
        "stream-closed": close(from),
        "framing-lost": close(from),
        ...own,
    };
}

/** A state of the farewell.  A message that `own` does not name is ignored; `timer` closes the connection. */
function ending(state: CallState, timer: TimerName, expiry: CallInput, own: Row): Row {
    const ignored = stay(state);
    const from: Leaving = { stop: timer, actions: [] };
    return {
        "connect-request": ignored,
        "connect-request-unacceptable": ignored,
        "connect-reply": ignored,
        "call-connected": ignored,
        "call-connected-malformed": ignored,
        disconnect: ignored,
        "disconnect-ack": ignored,
        abort: ignored,
        "echo-request": ignored,
        "echo-response": ignored,
        "invalid-message": ignored,
        [expiry]: stay("disconnected", "close"),
        "local-disconnect": ignored,
        "local-abort": ignored,
        "stream-closed": close(from),
        "framing-lost": close(from),
        ...own,
    };
}

const REQUESTING: Leaving = { stop: "negotiation", actions: [] };
const NEGOTIATING: Leaving = { stop: "negotiation", actions: ["lower-link-down"] };
const NEGOTIATION_OVER: Leaving = { actions: ["lower-link-down"] };
const CONNECTED: Leaving = { stop: "hello", actions: ["lower-link-down"] };
const DISCONNECTING: Leaving = { stop: "disconnect-1", actions: [] };

const CONNECT: CallTransition = {
    next: "call-connected",
    stop: "negotiation",
    actions: ["open-data-gate"],
    start: "hello",
};

export const CALL_TABLE: Readonly<Record<CallState, Row>> = {
    "connect-request-pending": live(REQUESTING, {
        "connect-request": {
            next: "call-connected-pending",
            stop: "negotiation",
            actions: ["send-connect-ack", "lower-link-up"],
            start: "negotiation",
        },
        "connect-request-unacceptable": stay("connect-request-pending", "send-connect-nak"),
        "connect-retries-exceeded": abort(REQUESTING, STATUS.retryCountExceeded),
        "negotiation-timeout": abort({ actions: [] }, STATUS.negotiationTimeout),
        restored: { next: "call-connected", actions: [], start: "hello" },
    }),
    "call-connected-pending": live(NEGOTIATING, {
        "call-connected": CONNECT,
        "call-connected-early": stay("binding-pending"),
        "call-connected-malformed": abort(NEGOTIATING, STATUS.attributeNotSupportedInMessage),
        "binding-failed": abort(NEGOTIATING, STATUS.valueNotSupported),
        "negotiation-timeout": abort(NEGOTIATION_OVER, STATUS.negotiationTimeout),
    }),
    "binding-pending": live(NEGOTIATING, {
        "echo-request": stay("binding-pending", "send-echo-response"),
        "echo-response": stay("binding-pending"),
        "binding-verified": CONNECT,
        "binding-failed": abort(NEGOTIATING, STATUS.valueNotSupported),
        "negotiation-timeout": abort(NEGOTIATION_OVER, STATUS.negotiationTimeout),
    }),
    "call-connected": live(CONNECTED, {
        "echo-request": stay("call-connected", "send-echo-response"),
        "echo-response": stay("call-connected"),
        "hello-timeout": { ...stay("call-connected", "send-echo-request"), start: "hello" },
        "hello-timeout-again": close({ actions: ["lower-link-down"] }),
    }),
    "abort-pending": ending("abort-pending", "abort-1", "abort-1-timeout", {
        abort: { next: "abort-timeout-pending", stop: "abort-1", actions: [], start: "abort-2" },
    }),
    "abort-timeout-pending": ending("abort-timeout-pending", "abort-2", "abort-2-timeout", {}),
    "disconnect-ack-pending": ending("disconnect-ack-pending", "disconnect-1", "disconnect-1-timeout", {
        disconnect: answerDisconnect(DISCONNECTING),
        "disconnect-ack": close(DISCONNECTING),
        abort: answerAbort(DISCONNECTING),
    }),
    "disconnect-timeout-pending": ending("disconnect-timeout-pending", "disconnect-2", "disconnect-2-timeout", {}),
    disconnected: {},
};

/** Pure: the caller carries the transition out.  An empty cell is a bug in the caller and changes nothing. */
export function stepCall(state: CallState, input: CallInput): CallTransition {
    const transition = CALL_TABLE[state][input];
    if (transition === undefined) throw new InvariantError(`${input} in ${state}`);
    return transition;
}

/** Whether PPP control frames pass, in both directions ([MS-SSTP] 3.3.7.1, 3.3.7.2). */
export const passesPppControl = (state: CallState): boolean =>
    state === "call-connected-pending" || state === "binding-pending" || state === "call-connected";

/** Whether PPP data frames pass, in both directions: only once the crypto binding is verified. */
export const passesPppData = (state: CallState): boolean => state === "call-connected";

/** Whether the farewell has not begun. */
export const isLive = (state: CallState): boolean => state === "connect-request-pending" || passesPppControl(state);
