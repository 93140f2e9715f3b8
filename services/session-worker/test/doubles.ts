// Small stand-ins for what surrounds the parts of a worker.
import { Duplex } from "node:stream";
import type { EventContract, ReleaseQuestion } from "@postern/contracts";
import type { ChapAttempt, PapAttempt } from "@postern/ppp";
import type { Events } from "@postern/service";
import type { FakeClock } from "@postern/testkit";
import type { Admission, SessionFacts, SessionTransport, Submission } from "../src/session-ports.ts";
import { TimerWheel } from "../src/timer-wheel.ts";

export const SESSION = "0123456789abcdef";

/** Lines about peers, as they come. */
export function rememberingLines() {
    const added: { readonly message: string; readonly source: string; readonly fields: object }[] = [];
    return {
        added,
        add: (message: string, source: string, fields: object) => void added.push({ message, source, fields }),
    };
}

export const transport = (more: Partial<SessionTransport> = {}): SessionTransport => ({
    stream: new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() }),
    client: { address: "198.51.100.7", port: 50_000 },
    connection: "0123456789",
    certificates: [],
    tls: { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256", resumed: false, serverName: "vpn.example.test" },
    correlationId: undefined,
    steps: new Map([["accepted", 100]]),
    ...more,
});

export const admission = (more: Partial<Admission> = {}): Admission => ({
    epoch: 1,
    principal: "alice",
    groups: [],
    addresses: { address: "10.91.0.11", gateway: "10.91.0.1", dns: [], nbns: [] },
    method: "mschapv2",
    policy: { pool: "default" },
    admittedAt: Date.parse("2026-01-02T03:04:05.678Z"),
    sessionTimeout: undefined,
    idleTimeout: undefined,
    ...more,
});

/** The first attempt of a session to log in. */
export const submission = (attempt: Submission["attempt"], more: Partial<Submission> = {}): Submission => ({
    session: SESSION,
    transport: transport(),
    number: 1,
    attempt,
    conversation: undefined,
    signal: new AbortController().signal,
    ...more,
});

/** Timers as a worker has them, on a clock that the test moves. */
export const fakeWheel = (clock: FakeClock): TimerWheel =>
    new TimerWheel({
        now: clock.now,
        every: (milliseconds, tick) => {
            const timer = clock.setInterval(tick, milliseconds);
            return { stop: () => clock.clearInterval(timer) };
        },
    });

export const facts = (more: Partial<SessionFacts> = {}): SessionFacts => ({
    session: SESSION,
    transport: transport(),
    admission: admission(),
    ...more,
});

export const papAttempt = (user = "alice", password = "secret"): PapAttempt => ({
    method: "pap",
    user,
    password: Buffer.from(password),
});

export const mschapAttempt = (user = "alice"): ChapAttempt => ({
    method: "mschapv2",
    user,
    identifier: 1,
    challenge: new Uint8Array(16).fill(1),
    response: new Uint8Array(49).fill(2),
});

export interface Told {
    readonly name: string;
    readonly about: string;
    readonly data: Record<string, unknown>;
    readonly settle: ReleaseQuestion | undefined;
}

/** Events as they were told, each valid by its contract; `full` makes the outbox refuse. */
export class RecordedEvents implements Events {
    readonly told: Told[] = [];
    accepting = true;
    full: Error | undefined;

    append: Events["append"] = async (contract, about, data, settle) => {
        if (this.full !== undefined) throw this.full;
        this.#record(contract, about, data, settle);
    };

    emit: Events["emit"] = (contract, about, data) => this.#record(contract, about, data, undefined);

    /** The data of the events of one name. */
    named(name: string): readonly Record<string, unknown>[] {
        return this.told.filter((one) => one.name === name).map(({ data }) => data);
    }

    #record(contract: EventContract, about: string, data: unknown, settle: ReleaseQuestion | undefined): void {
        const parsed = contract.data.parse(data) as Record<string, unknown>; // every event's data is an object
        this.told.push({ name: `${contract.kind}.${contract.name}`, about, data: parsed, settle });
    }
}
