// One record of the audit log: a line of JSON that carries the SHA-256 of the line before it.
//
//   {"n":7,"previous":"<64 hex>","at":"<RFC 3339>","streamSequence":42,"storedAt":"<RFC 3339>","event":{…}}\n
//   {"n":1,"previous":"<64 hex>","at":"<RFC 3339>","opening":{…}}\n                         first of every segment
//
// The hash covers the exact octets of the line without its line feed.  The fields before the body are written in this one way and
// no other is read, so that the chain can be followed without trusting what a line contains.
import { hash } from "node:crypto";
import type { CloudEvent } from "@postern/contracts";
import { Opening } from "./opening.ts";

/** What the first record of a chain has before it. */
export const GENESIS = "0".repeat(64);

/** An event to be recorded: the message as it was in the stream. */
export interface NewRecord {
    readonly streamSequence: number;
    /** Wall-clock milliseconds at which the stream took the message. */
    readonly storedAt: number;
    readonly event: Readonly<CloudEvent>;
}

interface Link {
    /** Running number, from 1. */
    readonly n: number;
    /** SHA-256 of the line before, hex. */
    readonly previous: string;
    /** When it was written, RFC 3339. */
    readonly at: string;
}

interface EventRecord extends Link {
    readonly kind: "event";
    readonly streamSequence: number;
    readonly storedAt: number;
    readonly event: Readonly<Record<string, unknown>>;
}

interface OpeningRecord extends Link {
    readonly kind: "opening";
    readonly opening: Opening;
}

export type AuditRecord = EventRecord | OpeningRecord;

const LINK = /^\{"n":([1-9]\d{0,14}),"previous":"([0-9a-f]{64})","at":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)",/;
const EVENT =
    /"streamSequence":(0|[1-9]\d{0,14}),"storedAt":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)","event":(?=\{)/y;
const OPENING = /"opening":(?=\{)/y;

const linkOf = (n: number, previous: string, at: string): string => `{"n":${n},"previous":"${previous}","at":"${at}",`;

/** The line, without its line feed. */
export const encodeEvent = (n: number, previous: string, at: string, record: NewRecord): string =>
    `${linkOf(n, previous, at)}"streamSequence":${record.streamSequence},"storedAt":"${new Date(record.storedAt).toISOString()}","event":${JSON.stringify(record.event)}}`;

/** The line, without its line feed. */
export const encodeOpening = (n: number, previous: string, at: string, opening: Opening): string =>
    `${linkOf(n, previous, at)}"opening":${JSON.stringify(opening)}}`;

/** The record in a line (without its line feed), or `undefined` where the line is none. */
export function decodeRecord(line: Buffer): AuditRecord | undefined {
    const text = line.toString("utf8");
    const link = LINK.exec(text);
    if (link === null || !text.endsWith("}")) return undefined;
    const [prefix, n, previous = "", at = ""] = link;
    const fields = { n: Number(n), previous, at };
    EVENT.lastIndex = prefix.length;
    const event = EVENT.exec(text);
    if (event !== null) {
        const body = bodyIn(text, EVENT.lastIndex);
        if (body === undefined) return undefined;
        const [, streamSequence, written = ""] = event;
        const storedAt = Date.parse(written);
        // The 30th of February is read as a day in March, the 32nd as none at all.
        if (Number.isNaN(storedAt) || new Date(storedAt).toISOString() !== written) return undefined;
        return { kind: "event", ...fields, streamSequence: Number(streamSequence), storedAt, event: body };
    }
    OPENING.lastIndex = prefix.length;
    if (!OPENING.test(text)) return undefined;
    const opening = Opening.safeParse(bodyIn(text, OPENING.lastIndex)).data;
    return opening === undefined ? undefined : { kind: "opening", ...fields, opening };
}

/** The JSON object from `start` to before the last brace. */
function bodyIn(text: string, start: number): Record<string, unknown> | undefined {
    try {
        return JSON.parse(text.slice(start, -1)) as Record<string, unknown>; // begins with a brace, so it is an object
    } catch (error) {
        if (error instanceof SyntaxError) return undefined;
        throw error;
    }
}

/** SHA-256 in hex. */
export const hashLine = (line: Buffer | string): string => hash("sha256", line, "hex");
