// From a batch of messages to records on disk: parse, leave out what is recorded already, append, and only then return.
import { type AuditLog, type NewRecord, sequencedOf, type Surprise } from "@postern/audit-log";
import type { ConsumedMessage } from "@postern/bus";
import { CloudEvent } from "@postern/contracts";
import type { Logger } from "@postern/telemetry";

export interface RecorderTotals {
    recorded: number;
    /** Deliveries of events that were recorded already. */
    repeats: number;
    /** Messages that are no CloudEvents. */
    malformed: number;
    /** Times that the stream was found to have begun anew. */
    newStreams: number;
}

export interface RecorderPorts {
    readonly log: Logger;
    readonly audit: Pick<AuditLog, "append" | "state" | "ledger">;
    /** Samples are recorded as well. */
    readonly nonDurable: boolean;
}

export class Recorder {
    readonly totals: RecorderTotals = { recorded: 0, repeats: 0, malformed: 0, newStreams: 0 };
    readonly #ports: RecorderPorts;

    constructor(ports: RecorderPorts) {
        this.#ports = ports;
    }

    /** Everything new is on disk when it resolves.  Rejects with `AuditLogError`, with nothing recorded, when it cannot be. */
    async record(messages: readonly ConsumedMessage[]): Promise<void> {
        const { audit } = this.#ports;
        const totals = { ...this.totals };
        if (this.#isNewStream(messages)) totals.newStreams += 1;
        const seen = new Set<string>();
        const records: NewRecord[] = [];
        for (const message of messages) {
            const event = this.#parse(message);
            if (event === undefined) {
                totals.malformed += 1;
                continue;
            }
            const sequenced = sequencedOf(event);
            if (sequenced === undefined && !this.#ports.nonDurable) continue;
            const id =
                sequenced === undefined ? undefined : `${sequenced.epoch} ${sequenced.sequence} ${sequenced.source}`;
            // The ledger has what is on disk; what this very batch has twice is known only here.
            const isRepeat =
                id !== undefined &&
                sequenced !== undefined &&
                (seen.has(id) || audit.ledger.judge(sequenced) === "repeat");
            if (isRepeat) {
                totals.repeats += 1;
                continue;
            }
            if (id !== undefined) seen.add(id);
            records.push({ streamSequence: message.streamSequence, storedAt: message.storedAt, event });
        }
        const surprises = await audit.append(records);
        Object.assign(this.totals, totals, { recorded: totals.recorded + records.length });
        for (const surprise of surprises) this.#tell(surprise);
    }

    #parse({ payload, subject, streamSequence }: ConsumedMessage): CloudEvent | undefined {
        try {
            const parsed = CloudEvent.safeParse(JSON.parse(Buffer.from(payload).toString("utf8")));
            if (parsed.success) return parsed.data;
        } catch (error) {
            if (!(error instanceof SyntaxError)) throw error;
        }
        // It cannot become a record by being delivered again.
        this.#ports.log.error(
            { subject, streamSequence },
            "a message in the event stream is no CloudEvent: it is not recorded",
        );
        return undefined;
    }

    /** A stream that was made anew counts from 1 again; a redelivery has a low number too, but is not younger. */
    #isNewStream([first]: readonly ConsumedMessage[]): boolean {
        const { streamSequence: last, storedAt } = this.#ports.audit.state;
        if (first === undefined || first.streamSequence > last || first.storedAt <= storedAt) return false;
        this.#ports.log.error(
            { first: first.streamSequence, last },
            "the event stream begins anew at a lower sequence: what was only in the old one is lost; the chain goes on",
        );
        return true;
    }

    #tell(surprise: Surprise): void {
        const { source, epoch, sequence } = surprise.event;
        if (surprise.kind === "late") {
            this.#ports.log.info({ source, epoch, sequence }, "an event that was missing has come");
            return;
        }
        const { first, last } = surprise;
        this.#ports.log.error({ source, epoch, first, last }, "events are missing: their source published later ones");
    }
}
