// The sessions of this worker, by id and by their slot in the uplink's table.
import type { Session } from "./session.ts";
import { type Traffic, TrafficTotals } from "./traffic-totals.ts";

/** What the table knows of a session. */
export type TableEntry = Pick<Session, "id" | "slot" | "traffic">;

export class SessionTable<Entry extends TableEntry = Session> {
    readonly #byId = new Map<string, Entry>();
    readonly #bySlot: (Entry | undefined)[] = [];
    readonly #free: number[] = [];
    readonly #capacity: number;
    readonly #gone = new TrafficTotals();

    constructor(capacity: number) {
        this.#capacity = capacity;
    }

    get size(): number {
        return this.#byId.size;
    }

    get isFull(): boolean {
        return this.#byId.size >= this.#capacity;
    }

    /** Of all sessions that ever were here. */
    get traffic(): Traffic {
        return this.#gone.with(Array.from(this.values(), ({ traffic }) => traffic));
    }

    /** A slot for a session to come, to be used at once; `undefined` when there is no room. */
    takeSlot(): number | undefined {
        if (this.isFull) return undefined;
        return this.#free.pop() ?? this.#bySlot.push(undefined) - 1;
    }

    add(session: Entry): void {
        this.#byId.set(session.id, session);
        this.#bySlot[session.slot] = session;
    }

    /** Forgets a session and frees its slot; does nothing for one that was forgotten already. */
    remove(id: string): void {
        const session = this.#byId.get(id);
        if (session === undefined) return;
        this.#gone.add(session.traffic);
        this.#byId.delete(id);
        this.#bySlot[session.slot] = undefined;
        this.#free.push(session.slot);
    }

    get(id: string): Entry | undefined {
        return this.#byId.get(id);
    }

    values(): MapIterator<Entry> {
        return this.#byId.values();
    }
}
