// The timers of one call, [MS-SSTP] 3.1.2 and 3.3.2: how long each runs, and what its expiry means.
import { TIMER_MS, type TimerName } from "./constants.ts";
import type { CallInput } from "./server-automaton.ts";
import type { ServerCallPorts, ServerCallTiming } from "./server-call-ports.ts";

type TimerPorts = Pick<ServerCallPorts, "now" | "startTimer" | "stopTimer">;

const EXPIRY: Readonly<Record<Exclude<TimerName, "hello">, CallInput>> = {
    negotiation: "negotiation-timeout",
    "abort-1": "abort-1-timeout",
    "abort-2": "abort-2-timeout",
    "disconnect-1": "disconnect-1-timeout",
    "disconnect-2": "disconnect-2-timeout",
};

export class CallTimers {
    readonly #ports: TimerPorts;
    readonly #durations: Readonly<Record<TimerName, number>>;
    readonly #running = new Set<TimerName>();
    #lastReceived: number;
    #silentSinceEcho = false;

    constructor(timing: ServerCallTiming, ports: TimerPorts) {
        this.#ports = ports;
        this.#durations = {
            ...TIMER_MS,
            negotiation: timing.negotiationTimeout ?? TIMER_MS.negotiation,
            hello: timing.helloInterval ?? TIMER_MS.hello,
        };
        this.#lastReceived = ports.now();
    }

    isRunning(name: TimerName): boolean {
        return this.#running.has(name);
    }

    /** Starts, or starts again from the full value. */
    start(name: TimerName, milliseconds = this.#durations[name]): void {
        this.#running.add(name);
        this.#ports.startTimer(name, milliseconds);
    }

    stop(name: TimerName): void {
        if (this.#running.delete(name)) this.#ports.stopTimer(name);
    }

    /** To be told of everything received.  The hello timer is not restarted each time: its expiry looks at the clock. */
    received(): void {
        this.#lastReceived = this.#ports.now();
        this.#silentSinceEcho = false;
    }

    /** The input that the expiry of `name` is, if it is one: a stopped timer's is none. */
    expired(name: TimerName): CallInput | undefined {
        if (!this.#running.delete(name)) return undefined;
        return name === "hello" ? this.#helloExpired() : EXPIRY[name];
    }

    #helloExpired(): CallInput | undefined {
        const silence = this.#ports.now() - this.#lastReceived;
        if (silence < this.#durations.hello) {
            this.start("hello", this.#durations.hello - silence);
            return undefined;
        }
        const input = this.#silentSinceEcho ? "hello-timeout-again" : "hello-timeout";
        this.#silentSinceEcho = true;
        return input;
    }
}
