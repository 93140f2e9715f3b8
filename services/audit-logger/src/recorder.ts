// From a batch of messages to records on disk: parse, de-duplicate, append, and only then return.
import type { AuditLog, NewRecord } from "@postern/audit-log";
import type { ConsumedMessage } from "@postern/bus";
import { CloudEvent } from "@postern/contracts";
import type { Logger } from "@postern/telemetry";
import { SequenceLedger, type SequencedEvent } from "./sequence-ledger.ts";

export interface RecorderCounters {
    recorded: number;
    repeats: number;
    /** Events that are known to be missing. */
    missing: number;
    malformed: number;
}

export interface RecorderPorts {
    readonly log: Logger;
    readonly audit: Pick<AuditLog, "append" | "state">;
    /** Samples are recorded as well. */
    readonly nonDurable: boolean;
}

export class Recorder {
    readonly counters: RecorderCounters = { recorded: 0, repeats: 0, missing: 0, malformed: 0 };
    readonly #ports: RecorderPorts;
    readonly #ledger = new SequenceLedger();

    constructor(ports: RecorderPorts) {
        this.#ports = ports;
    }

    /** An event that an earlier run recorded. */
    remember(event: unknown): void {
        const sequenced = sequencedOf(event);
        if (sequenced !== undefined) this.#ledger.note(sequenced);
    }

    /** Everything new is on disk when this returns.  Throws `AuditLogError`, with nothing recorded, when it cannot be. */
    record(messages: readonly ConsumedMessage[]): void {
        this.#noticeNewStream(messages);
        // Judged one after the other against what this very batch has before, and noted only once it is on disk.
        const pending: { record: NewRecord; sequenced: SequencedEvent | undefined }[] = [];
        const seen = new Set<string>();
        const counted = { ...this.counters };
        for (const message of messages) {
            const event = this.#parse(message, counted);
            if (event === undefined) continue;
            const sequenced = sequencedOf(event);
            if (sequenced === undefined && !this.#ports.nonDurable) continue;
            if (sequenced !== undefined && !this.#isNew(sequenced, seen, counted)) continue;
            pending.push({ record: { streamSequence: message.streamSequence, event }, sequenced });
        }
        this.#ports.audit.append(pending.map(({ record }) => record));
        for (const { sequenced } of pending) if (sequenced !== undefined) this.#ledger.note(sequenced);
        Object.assign(this.counters, counted, { recorded: counted.recorded + pending.length });
    }

    #isNew(event: SequencedEvent, seen: Set<string>, counted: RecorderCounters): boolean {
        const id = `${event.source} ${event.epoch} ${event.sequence}`;
        const verdict = this.#ledger.judge(event);
        if (verdict.kind === "repeat" || seen.has(id)) {
            counted.repeats += 1;
            return false;
        }
        const before = seen.has(`${event.source} ${event.epoch} ${event.sequence - 1}`);
        if (verdict.kind === "gap" && !before) {
            counted.missing += verdict.missing;
            this.#ports.log.error(
                { ...event, missing: verdict.missing },
                "events are missing: their source published later ones",
            );
        }
        seen.add(id);
        return true;
    }

    #parse({ payload, subject, streamSequence }: ConsumedMessage, counted: RecorderCounters): CloudEvent | undefined {
        try {
            const parsed = CloudEvent.safeParse(JSON.parse(Buffer.from(payload).toString("utf8")));
            if (parsed.success) return parsed.data;
        } catch (error) {
            if (!(error instanceof SyntaxError)) throw error;
        }
        // It cannot become a record by being delivered again.
        counted.malformed += 1;
        this.#ports.log.error(
            { subject, streamSequence },
            "a message in the event stream is no CloudEvent: not recorded",
        );
        return undefined;
    }

    #noticeNewStream(messages: readonly ConsumedMessage[]): void {
        const { audit, log } = this.#ports;
        const first = messages[0]?.streamSequence ?? Infinity;
        const last = audit.state.streamSequence;
        const isRepeat = messages.some(({ deliveries }) => deliveries > 1);
        if (first < last && !isRepeat) {
            log.error(
                { first, last },
                "the event stream begins again at a lower sequence: it was made anew; events that were only in the old one are lost",
            );
        }
    }
}

/** Only durable events have all three. */
function sequencedOf(event: unknown): SequencedEvent | undefined {
    const parsed = CloudEvent.safeParse(event).data;
    if (parsed?.epoch === undefined || parsed.sequence === undefined) return undefined;
    return { source: parsed.source, epoch: parsed.epoch, sequence: parsed.sequence };
}
