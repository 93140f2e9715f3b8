// The sessions of this worker, by id and by their slot in the uplink's table.
import type { Session } from "./session.ts";
import type { Run } from "./uplink.ts";

export class SessionTable {
    readonly #byId = new Map<string, Session>();
    readonly #bySlot: (Session | undefined)[] = [];
    readonly #free: number[] = [];
    readonly #capacity: number;

    constructor(capacity: number) {
        this.#capacity = capacity;
    }

    get size(): number {
        return this.#byId.size;
    }

    get isFull(): boolean {
        return this.#byId.size >= this.#capacity;
    }

    /** A slot for a session to come; `undefined` when there is no room. */
    takeSlot(): number | undefined {
        if (this.isFull) return undefined;
        return this.#free.pop() ?? this.#bySlot.push(undefined) - 1;
    }

    add(session: Session): void {
        this.#byId.set(session.id, session);
        this.#bySlot[session.slot] = session;
    }

    /** Forgets a session and frees its slot; does nothing for one that was forgotten already. */
    remove(id: string): void {
        const session = this.#byId.get(id);
        if (session === undefined) return;
        this.#byId.delete(id);
        this.#bySlot[session.slot] = undefined;
        this.#free.push(session.slot);
    }

    get(id: string): Session | undefined {
        return this.#byId.get(id);
    }

    values(): IterableIterator<Session> {
        return this.#byId.values();
    }

    /** Packets from the uplink; those for a session that has just ended have nobody to go to. */
    deliver(slot: number, run: Run): void {
        const session = this.#bySlot[slot];
        if (session === undefined) run.release();
        else session.deliver(run);
    }
}
