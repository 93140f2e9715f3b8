export interface EchoOptions {
    readonly intervalMs: number;
    /** Echo-Requests in a row without an answer that end the link. */
    readonly failures: number;
}

export interface EchoMonitorPorts {
    readonly sendEchoRequest: () => void;
    readonly startTimer: (milliseconds: number) => void;
    readonly stopTimer: () => void;
    readonly failed: (detail: string) => void;
}

/** Asks the peer every interval whether it is still there, RFC 1661 §5.8. */
export class EchoMonitor {
    readonly #options: EchoOptions;
    readonly #ports: EchoMonitorPorts;
    #unanswered = 0;

    constructor(options: EchoOptions, ports: EchoMonitorPorts) {
        this.#options = options;
        this.#ports = ports;
    }

    start(): void {
        this.#unanswered = 0;
        this.#ports.startTimer(this.#options.intervalMs);
    }

    stop(): void {
        this.#ports.stopTimer();
    }

    onReply(): void {
        this.#unanswered = 0;
    }

    onTimer(): void {
        if (this.#unanswered >= this.#options.failures) {
            return this.#ports.failed(`${this.#unanswered} echoes without an answer`);
        }
        this.#unanswered += 1;
        this.#ports.startTimer(this.#options.intervalMs);
        this.#ports.sendEchoRequest();
    }
}
