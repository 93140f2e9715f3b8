// Keeps the stored copy of a session up to date, so that it already exists elsewhere when this worker is killed.
import { hash } from "node:crypto";
import type { SessionSnapshot } from "@postern/contracts";
import type { SessionTimers } from "./session-timers.ts";

/** Milliseconds from a change to its being stored: IPCP and IPV6CP, which open one after the other, make one write. */
const SETTLING = 100;
/** Milliseconds to the next try when it could not be stored; half as many again at most, by chance. */
const RETRY = 10_000;

export interface KeeperPorts {
    readonly timers: SessionTimers;
    /** `undefined`: there is nothing to store at the moment. */
    readonly take: () => SessionSnapshot | undefined;
    /** Resolves with whether it need not be tried again; never rejects. */
    readonly store: (snapshot: SessionSnapshot) => Promise<boolean>;
    /** Uniform in [0, 1). */
    readonly random: () => number;
}

export class SnapshotKeeper {
    readonly #ports: KeeperPorts;
    /** A hash of what is stored: there are ten thousand of these, and nobody reads them. */
    #stored: string | undefined;
    #storing = false;

    constructor(ports: KeeperPorts) {
        this.#ports = ports;
    }

    /** Something of what a snapshot holds may have changed. */
    changed(): void {
        const { timers } = this.#ports;
        // Not put off by further changes: one that never settles is stored all the same.
        if (!timers.isRunning("snapshot")) timers.start("snapshot", SETTLING, () => this.#store());
    }

    #store(): void {
        const { take, store, timers, random } = this.#ports;
        if (this.#storing) return this.changed();
        const snapshot = take();
        if (snapshot === undefined) return;
        // Deadlines move with every packet; the ones that were stored stay good.
        const content = hash("sha256", JSON.stringify({ ...snapshot, deadlines: undefined }), "base64");
        if (content === this.#stored) return;
        this.#storing = true;
        void store(snapshot).then((stored) => {
            this.#storing = false;
            if (stored) this.#stored = content;
            else timers.start("snapshot", RETRY * (1 + random() / 2), () => this.#store());
        });
    }
}
