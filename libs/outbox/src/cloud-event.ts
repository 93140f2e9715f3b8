// The CloudEvent of a resolved entry.
import type { CloudEvent } from "@postern/contracts";
import type { SegmentRecord } from "./records.ts";
import type { Resolved } from "./resolver.ts";

/** What consumers de-duplicate on, and the stream within its window. */
export const eventId = ({ source, epoch }: SegmentRecord, sequence: number): string => `${source}/${epoch}/${sequence}`;

export function cloudEventOf(owner: SegmentRecord, { record, late, sequence }: Resolved): CloudEvent {
    return {
        specversion: "1.0",
        id: eventId(owner, sequence),
        source: owner.source,
        type: late && record.late !== undefined ? record.late.type : record.type,
        subject: record.about,
        time: record.time,
        datacontenttype: "application/json",
        instance: owner.instance,
        epoch: owner.epoch,
        sequence,
        data: record.data,
    };
}

/** NATS subject. */
export const destinationOf = ({ record, late }: Resolved): string =>
    late && record.late !== undefined ? record.late.to : record.to;
