// What the audit logs of an installation say of its sessions, read from their files.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** A session as the audit log has it. */
interface AuditedSession {
    readonly session: string;
    /** Of the client. */
    source: string;
    started: number;
    /** Reasons of its ends: one, or none while it lives. */
    readonly ends: { readonly reason: string; readonly exact: boolean; readonly by: string }[];
    lateCounters: number;
}

export interface AuditAccount {
    readonly sessions: readonly AuditedSession[];
    /** Events that one log holds more than once, as `source epoch sequence`. */
    readonly doubled: readonly string[];
    /** How many events of each type there are: `worker.lost`. */
    readonly types: ReadonlyMap<string, number>;
}

interface EventRecord {
    readonly streamSequence: number;
    readonly event: {
        readonly type: string;
        readonly source: string;
        readonly epoch?: number;
        readonly sequence?: number;
        readonly data: {
            readonly session?: string;
            readonly reason?: string;
            readonly exact?: boolean;
            readonly client?: { readonly address: string };
        };
    };
}

const SESSION_EVENT = /^postern\.session\.(?:started|ended|late-counters)\.v1$/;

/** Reads the logs of all audit-loggers in `directory`; one that is being written may end in a part of a line. */
export function readAuditAccount(directory: string): AuditAccount {
    const sessions = new Map<string, AuditedSession>();
    const doubled: string[] = [];
    const types = new Map<string, number>();
    const seen = new Set<string>();
    for (const writer of readdirSync(directory)) {
        const seenHere = new Set<string>();
        for (const { event } of recordsOf(path.join(directory, writer))) {
            const id = `${event.source} ${event.epoch} ${event.sequence}`;
            if (event.sequence !== undefined && seenHere.has(id)) doubled.push(id);
            seenHere.add(id);
            // Two logs may have the same event, when one audit-logger took over from another.
            if (seen.has(id)) continue;
            seen.add(id);
            const type = event.type.replace(/^postern\.|\.v\d+$/g, "");
            types.set(type, (types.get(type) ?? 0) + 1);
            note(sessions, event);
        }
    }
    return { sessions: [...sessions.values()], doubled, types };
}

function note(sessions: Map<string, AuditedSession>, { type, source: by, data }: EventRecord["event"]): void {
    const { session, reason = "", exact = false, client } = data;
    if (session === undefined || !SESSION_EVENT.test(type)) return;
    const entry = sessions.get(session) ?? { session, source: "", started: 0, ends: [], lateCounters: 0 };
    sessions.set(session, entry);
    if (client !== undefined) entry.source = client.address;
    if (type === "postern.session.started.v1") entry.started += 1;
    else if (type === "postern.session.ended.v1") entry.ends.push({ reason, exact, by });
    else entry.lateCounters += 1;
}

/** What the logs have of one session, in the order of the stream: `session.started`, `session.ended worker-lost (not exact)`. */
export function readSessionHistory(directory: string, session: string): string[] {
    // By its place in the stream: after a take-over the beginning is in one log and the rest in another.
    const events = new Map<number, EventRecord["event"]>();
    for (const writer of readdirSync(directory))
        for (const { streamSequence, event } of recordsOf(path.join(directory, writer)))
            if (event.data.session === session && SESSION_EVENT.test(event.type)) events.set(streamSequence, event);
    return [...events]
        .toSorted(([first], [second]) => first - second)
        .map(([, { type, data }]) => {
            const name = type.slice("postern.".length, -".v1".length);
            if (data.reason === undefined) return name;
            return `${name} ${data.reason}${data.exact === true ? "" : " (not exact)"}`;
        });
}

function recordsOf(directory: string): EventRecord[] {
    return readdirSync(directory)
        .filter((file) => file.endsWith(".ndjson"))
        .flatMap((file) => readFileSync(path.join(directory, file), "utf8").split("\n").slice(0, -1))
        .filter((line) => line.includes('"event":{'))
        .map((line) => JSON.parse(line) as EventRecord); // the form of a record
}
