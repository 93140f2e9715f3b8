import type { EventContract } from "@postern/contracts";
import type { Events } from "@postern/service";

export interface CollectedEvent {
    readonly name: string;
    readonly about: string;
    readonly data: Readonly<Record<string, unknown>>;
}

/** An outbox in memory; data that breaks its contract fails the test. */
export class CollectedEvents implements Pick<Events, "append" | "accepting"> {
    readonly accepting = true;
    readonly list: CollectedEvent[] = [];
    /** Thrown by every append while it is set. */
    failure: Error | undefined;

    readonly append = async (contract: EventContract, about: string, data: unknown): Promise<void> => {
        await Promise.resolve();
        if (this.failure !== undefined) throw this.failure;
        const parsed = contract.data.parse(data) as Record<string, unknown>; // every event's data is an object
        this.list.push({ name: `${contract.kind}.${contract.name}`, about, data: parsed });
    };

    named(name: string): CollectedEvent[] {
        return this.list.filter((event) => event.name === name);
    }
}
