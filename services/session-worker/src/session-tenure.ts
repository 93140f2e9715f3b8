// What a session has from its admission to its end: an address, deadlines, a copy of itself elsewhere, and a place in the records.
import type { Counters, EndReason, SessionSnapshot } from "@postern/contracts";
import { addCounters, type DataPath } from "@postern/tun";
import { type Deadlines, SessionDeadlines } from "./session-deadlines.ts";
import type { HandOver, SessionFacts, SessionPorts } from "./session-ports.ts";
import type { SessionProtocols } from "./session-protocols.ts";
import { bindingHashOf, composeSnapshot } from "./session-snapshot.ts";
import type { SessionTimers } from "./session-timers.ts";
import { SnapshotKeeper } from "./snapshot-keeper.ts";

/** The session whose tenure it is. */
export interface TenureOwner {
    readonly timers: SessionTimers;
    readonly protocols: SessionProtocols;
    readonly path: Pick<DataPath, "counters" | "lease" | "release">;
    readonly expire: (reason: EndReason) => void;
}

/** What another worker's tenure of the same session had come to. */
export type Inheritance = Pick<HandOver, "startedAt" | "counters"> & { readonly deadlines: Deadlines };

export class SessionTenure {
    readonly facts: SessionFacts;
    readonly #owner: TenureOwner;
    readonly #ports: SessionPorts;
    readonly #inherited: Inheritance | undefined;
    readonly #keeper: SnapshotKeeper;
    #deadlines: SessionDeadlines | undefined;
    #startedAt: Date | undefined;

    constructor(facts: SessionFacts, owner: TenureOwner, ports: SessionPorts, inherited?: Inheritance) {
        this.facts = facts;
        this.#owner = owner;
        this.#ports = ports;
        this.#inherited = inherited;
        this.#startedAt = inherited?.startedAt;
        this.#keeper = new SnapshotKeeper({
            timers: owner.timers,
            take: () => this.snapshot(),
            store: (snapshot) => ports.report.storeSnapshot(facts, snapshot, this.counters),
            random: ports.random,
        });
    }

    /** From here on packets for the session's address come here, and the deadlines run. */
    begin(): void {
        const { timers, path, protocols, expire } = this.#owner;
        const { now, wallClock, settings } = this.#ports;
        const { admission } = this.facts;
        const { address } = admission.addresses;
        const packets = (): number => {
            const { packetsIn, packetsOut } = path.counters;
            return packetsIn + packetsOut;
        };
        this.#deadlines = new SessionDeadlines(
            admission,
            { timers, now, wallClock, packets, expire },
            this.#inherited?.deadlines,
        );
        path.lease(address, Math.min(settings.mtu, protocols.peerMru));
    }

    /** `undefined` until the client can send and receive IP packets. */
    get startedAt(): Date | undefined {
        return this.#startedAt;
    }

    /** Of the whole session, on whichever worker. */
    get counters(): Counters {
        return addCounters(this.#owner.path.counters, this.#inherited?.counters);
    }

    /** `undefined` while there is nothing that could go on. */
    snapshot(): SessionSnapshot | undefined {
        if (this.#startedAt === undefined || this.#deadlines === undefined) return undefined;
        return composeSnapshot(this.#owner.protocols, this.#deadlines.deadlines, this.#correlationId);
    }

    /** Something of what a snapshot holds may have changed. */
    changed(): void {
        this.#keeper.changed();
    }

    /** IP packets can pass. */
    onOpened(): void {
        this.changed();
        if (this.#startedAt !== undefined) return;
        const { report, wallClock } = this.#ports;
        this.#startedAt = new Date(wallClock());
        const { call, link } = this.#owner.protocols;
        const { version, computer } = link.identification;
        report.started(this.facts, {
            bindingHash: bindingHashOf(call.snapshot()?.certificateHash ?? ""),
            clientInformation: [version, computer].filter((text) => text !== undefined),
            correlationId: this.#correlationId,
        });
    }

    /** The session is over. */
    end(reason: EndReason): void {
        const { report, wallClock } = this.#ports;
        // Said first: giving the address back to the kernel may fail, giving it back to the registry may not be forgotten.
        report.ended(this.facts, {
            reason,
            startedAt: this.#startedAt ?? new Date(wallClock()),
            counters: this.counters,
        });
        this.leave();
    }

    /** The session does not go on here. */
    leave(): void {
        // One that never began must not take the slot's packets from the session that has it by now.
        if (this.#deadlines !== undefined) this.#owner.path.release();
    }

    get #correlationId(): string | undefined {
        return this.facts.transport.correlationId ?? this.#owner.protocols.link.identification.correlationId;
    }
}
