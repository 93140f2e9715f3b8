// Looking for sessions, in memory: newest first, a page at a time.
import type { QueryAnswer, QueryQuestion, SessionRecord } from "@postern/contracts";
import { PeerError } from "@postern/errors";
import type { Sessions } from "./sessions.ts";

/** Half of what a NATS message holds by default: records of users in many groups are long. */
const MAX_PAGE_CHARACTERS = 500_000;

/** Rejects with `REGISTRY_CURSOR_UNKNOWN` when the session to go on after is no longer kept. */
export function querySessions(sessions: Sessions, question: QueryQuestion): QueryAnswer {
    const after = question.after === undefined ? undefined : cursor(sessions, question.after);
    const found: SessionRecord[] = [];
    for (const record of candidates(sessions, question)) {
        if (!matches(record, question) || (after !== undefined && byAge(after, record) >= 0)) continue;
        insert(found, record, question.limit + 1);
    }
    return page(
        found.map((record) => withReported(record, sessions)),
        question.limit,
    );
}

function withReported(record: SessionRecord, sessions: Sessions): SessionRecord {
    const counters = record.state === "admitted" ? sessions.reported(record.session) : undefined;
    return counters === undefined ? record : { ...record, counters };
}

function cursor(sessions: Sessions, session: string): SessionRecord {
    const record = sessions.records.known(session)?.entry.value;
    if (record === undefined || record.state === "void") throw new PeerError("REGISTRY_CURSOR_UNKNOWN", session);
    return record;
}

function* candidates(sessions: Sessions, { session, worker, includeEnded }: QueryQuestion): Generator<SessionRecord> {
    if (session === undefined && worker !== undefined && includeEnded !== true) return yield* sessions.of(worker);
    const known = session === undefined ? undefined : sessions.records.known(session);
    for (const { entry } of session === undefined ? sessions.records.all() : known === undefined ? [] : [known]) {
        if (entry.value.state !== "void") yield entry.value;
    }
}

function matches(record: SessionRecord, question: QueryQuestion): boolean {
    return (
        (question.includeEnded === true || record.state === "admitted") &&
        (question.principal === undefined || question.principal === record.principal) &&
        (question.worker === undefined || question.worker === record.worker) &&
        (question.address === undefined || question.address === record.address) &&
        (question.ipv6Prefix === undefined || question.ipv6Prefix === record.ipv6Prefix) &&
        (question.client === undefined || question.client === record.client.address)
    );
}

/** Negative: `a` comes first, because it is newer.  Times are ISO 8601 in UTC, so text order is time order. */
function byAge(a: SessionRecord, b: SessionRecord): number {
    if (a.admittedAt !== b.admittedAt) return a.admittedAt > b.admittedAt ? -1 : 1;
    if (a.session === b.session) return 0;
    return a.session < b.session ? -1 : 1;
}

/** Keeps the first `most` of an ordered list. */
function insert(list: SessionRecord[], record: SessionRecord, most: number): void {
    const last = list.at(-1);
    if (list.length >= most && last !== undefined && byAge(last, record) < 0) return;
    let [low, high] = [0, list.length];
    while (low < high) {
        const middle = (low + high) >>> 1;
        const at = list[middle];
        if (at !== undefined && byAge(at, record) < 0) low = middle + 1;
        else high = middle;
    }
    list.splice(low, 0, record);
    if (list.length > most) list.pop();
}

function page(found: readonly SessionRecord[], limit: number): QueryAnswer {
    const sessions: QueryAnswer["sessions"] = [];
    let size = 0;
    for (const record of found.slice(0, limit)) {
        size += JSON.stringify(record).length;
        if (size > MAX_PAGE_CHARACTERS && sessions.length > 0) break;
        sessions.push(record);
    }
    return { sessions, more: sessions.length < found.length };
}
