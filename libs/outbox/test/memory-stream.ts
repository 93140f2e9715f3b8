// A stream in memory that can be gone, refuse, lose its last messages, and counts what it got.
import assert from "node:assert/strict";
import { CloudEvent } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import type { EventStream } from "../src/index.ts";

export class MemoryStream implements EventStream {
    readonly attempts: string[] = [];
    stored: { readonly subject: string; readonly id: string; readonly event: CloudEvent }[] = [];
    /** Subjects with a publication under way, and the most at once. */
    readonly underWay = new Set<string>();
    mostAtOnce = 0;
    /** What the next publications reject with. */
    failure: DependencyError | undefined;
    /** Awaited before a publication is stored. */
    gate: Promise<void> = Promise.resolve();
    #sequence = 0;
    #connected = true;
    readonly #listeners = new Set<(status: { connected: boolean }) => void>();

    get status(): { readonly connected: boolean } {
        return { connected: this.#connected };
    }

    onStatus(listener: (status: { connected: boolean }) => void): () => void {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
    }

    setConnected(connected: boolean): void {
        this.#connected = connected;
        for (const listener of this.#listeners) listener({ connected });
    }

    async publish(
        subject: string,
        payload: Uint8Array | string,
        { id }: { readonly id: string },
    ): Promise<{ sequence: number; duplicate: boolean }> {
        this.attempts.push(id);
        assert.ok(!this.underWay.has(subject), `two publications at once to ${subject}`);
        this.underWay.add(subject);
        this.mostAtOnce = Math.max(this.mostAtOnce, this.underWay.size);
        try {
            await this.gate;
            await new Promise((resolve) => setImmediate(resolve));
            if (!this.#connected) throw new DependencyError("BUS_UNAVAILABLE", "gone");
            if (this.failure !== undefined) throw this.failure;
            const known = this.stored.findIndex((message) => message.id === id);
            if (known !== -1) return { sequence: known + 1, duplicate: true };
            const event = CloudEvent.parse(JSON.parse(String(payload)));
            this.stored.push({ subject, id, event });
            this.#sequence += 1;
            return { sequence: this.#sequence, duplicate: false };
        } finally {
            this.underWay.delete(subject);
        }
    }

    /** As a server that lost power: what it acknowledged last is gone. */
    lose(count: number): void {
        this.stored = this.stored.slice(0, this.stored.length - count);
        this.#sequence -= count;
    }

    /** Sequence numbers of the stored events of one source and epoch, in the order of the stream. */
    sequences(epoch: number, source?: string): number[] {
        return this.stored
            .filter(({ event }) => event.epoch === epoch && (source === undefined || event.source === source))
            .map(({ event }) => event.sequence ?? 0);
    }
}
