// Whether a server is believed to answer.
//   alive --a request without an answer, and none since; or its port is closed--> dead
//   dead  --answers Status-Server, or deadTime is over and it never has answered that--> trial
//   trial --answers one request--> alive        trial --does not--> dead
// A server that asks persons may leave a request without an answer for long and live: only its status tells (`patient`).

/** `trial`: it gets one request, and what becomes of that decides. */
export type ServerState = "alive" | "dead" | "trial";

export interface ServerHealthPorts {
    /** Monotonic milliseconds. */
    readonly now: () => number;
    readonly onState: (state: ServerState, cause: string) => void;
    /** A request without an answer says nothing, an answer to Status-Server everything. */
    readonly patient: boolean;
}

/** Status-Server requests without an answer after which a patient server is dead, if it has answered some before. */
const MOST_MISSES = 3;

export class ServerHealth {
    readonly #ports: ServerHealthPorts;
    #state: ServerState = "alive";
    /** Of a reply, or of the beginning of a trial. */
    #lastSignAt = -Infinity;
    #answersStatus = false;
    #misses = 0;
    /** The request that it is tried with. */
    #trial: object | undefined;

    constructor(ports: ServerHealthPorts) {
        this.#ports = ports;
    }

    get state(): ServerState {
        return this.#state;
    }

    /** Whether a request may go to it before those that are believed dead are asked. */
    get isUsable(): boolean {
        return this.#state === "alive" || (this.#state === "trial" && this.#trial === undefined);
    }

    /** It has been given a request; the result tells that the request is over. */
    begin(): () => void {
        if (this.#state !== "trial" || this.#trial !== undefined) return () => undefined;
        const trial = {};
        this.#trial = trial;
        return () => {
            if (this.#trial === trial) this.#trial = undefined;
        };
    }

    /** It answered a request that is not Status-Server. */
    replied(): void {
        this.#lastSignAt = this.#ports.now();
        this.#misses = 0;
        if (this.#state === "alive") return;
        // It lives, and did not say so when it was asked for its status.
        if (this.#state === "dead") this.#answersStatus = false;
        this.#become("alive", "it answered a request");
    }

    /** It answered Status-Server. */
    statusAnswered(): void {
        this.#answersStatus = true;
        this.#misses = 0;
        if (this.#state !== "dead") return;
        this.#become(this.#ports.patient ? "alive" : "trial", "it answered Status-Server");
    }

    statusUnanswered(): void {
        this.#misses += 1;
        if (this.#ports.patient && this.#answersStatus && this.#misses >= MOST_MISSES)
            this.#die(`it left ${this.#misses} Status-Server requests without an answer`);
    }

    /** A request that was sent at that time has waited as long as an answer may take. */
    overdue(sentAt: number): void {
        // A server that answers others has discarded that request.
        if (this.#ports.patient || this.#lastSignAt >= sentAt) return;
        this.#die("it did not answer a request");
    }

    unreachable(error: Error): void {
        this.#die(error.message);
    }

    /** It has been dead for `deadTime`. */
    deadTimeOver(): void {
        if (this.#state === "dead" && !this.#answersStatus) this.#become("trial", "its dead time is over");
    }

    #die(cause: string): void {
        if (this.#state !== "dead") this.#become("dead", cause);
    }

    #become(state: ServerState, cause: string): void {
        this.#state = state;
        this.#trial = undefined;
        if (state === "trial") this.#lastSignAt = this.#ports.now();
        this.#ports.onState(state, cause);
    }
}
