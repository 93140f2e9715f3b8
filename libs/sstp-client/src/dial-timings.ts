/** The steps of opening a connection, in their order. */
export const DIAL_STEPS = ["tcp", "tls", "http", "call", "lcp", "auth", "ipcp"] as const;
export type DialStep = (typeof DIAL_STEPS)[number];

/** When each step was complete, in milliseconds from the start of the TCP connect. */
export type DialTimings = Readonly<Record<DialStep, number>>;

/** Notes when each step of one dial is complete. */
export class DialStopwatch {
    readonly #begun = performance.now();
    readonly #completed: Partial<Record<DialStep, number>> = {};

    /** The first step that is not complete; the last when all are. */
    get step(): DialStep {
        return DIAL_STEPS.find((step) => this.#completed[step] === undefined) ?? "ipcp";
    }

    /** `step` is complete.  Only the first time counts. */
    complete(step: DialStep): void {
        this.#completed[step] ??= performance.now() - this.#begun;
    }

    /** A step that was not passed, as IPCP with IPv6 alone, counts as complete now. */
    get timings(): DialTimings {
        const now = performance.now() - this.#begun;
        const at = (step: DialStep): number => this.#completed[step] ?? now;
        return {
            tcp: at("tcp"),
            tls: at("tls"),
            http: at("http"),
            call: at("call"),
            lcp: at("lcp"),
            auth: at("auth"),
            ipcp: at("ipcp"),
        };
    }
}
