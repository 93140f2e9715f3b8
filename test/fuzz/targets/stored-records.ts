// What is read back from disk: segments of the outbox, records and checkpoints of the audit log.  The first octet says which.
import assert from "node:assert/strict";
import { concatBytes, copyBytes, encodeUtf8 } from "@postern/bytes";
import { formatCheckpoint, parseCheckpoint } from "@postern/audit-log";
import { DependencyError } from "@postern/errors";
import { decodeRecord, encodeEvent, encodeOpening, GENESIS } from "../../../libs/audit-log/src/record.ts";
import { decodeFrame, encodeFrame, encodeRecord } from "../../../libs/outbox/src/frame.ts";
import { decodeJournalRecord, encodeJournalRecord, type JournalRecord } from "../../../libs/outbox/src/records.ts";
import { scanSegment } from "../../../libs/outbox/src/segment-scan.ts";
import type { FuzzTarget } from "../fuzz-target.ts";
import { cutPoint, outcomeOf, valueOf } from "../properties.ts";

const AT = "2026-11-23T07:39:04.542Z";
const HASH = "0123456789abcdef".repeat(4);

const JOURNAL: readonly JournalRecord[] = [
    {
        kind: "segment",
        segment: { version: 1, source: "postern/main/session-worker/worker-1", instance: "worker-1", epoch: 7 },
    },
    {
        kind: "entry",
        entry: {
            to: "a.b",
            type: "t",
            about: "s",
            time: AT,
            data: { n: 1 },
            settle: { session: "s" },
            late: { to: "c", type: "l" },
        },
    },
    { kind: "resolution", index: 1, resolution: "late" },
    { kind: "cursor", cursor: { index: 1, sequence: 1 } },
];
const SEGMENT = concatBytes(
    encodeFrame(1, [encodeJournalRecord(JOURNAL[0] ?? assert.fail())]),
    encodeFrame(1, JOURNAL.slice(1, 3).map(encodeJournalRecord)),
    encodeFrame(2, [encodeJournalRecord(JOURNAL[3] ?? assert.fail())]),
);

const EVENT = { streamSequence: 42, storedAt: Date.parse(AT), event: { specversion: "1.0", id: "x" } as never }; // only its JSON matters here
const RANGE: [number, number] = [1, 9];
const OPENING = {
    writer: "audit-1",
    chain: HASH.slice(0, 32),
    recorded: [{ source: "s", epoch: 1, ranges: [RANGE] }],
};
const CHECKPOINT = {
    writer: "audit-1",
    chain: HASH.slice(0, 32),
    first: 1,
    n: 9,
    hash: HASH,
    at: AT,
    streamSequence: 5,
    key: HASH.slice(0, 16),
    signature: `${"A".repeat(86)}==`,
};

const READERS: readonly ((bytes: Uint8Array) => void)[] = [
    (bytes) => checkScan(bytes, true),
    (bytes) => checkScan(bytes, false),
    /** Whatever the records say, once their checksum is right. */
    (bytes) => {
        const kind = bytes[0] ?? 0;
        const frame = encodeFrame(1, [{ kind, bytes: copyBytes(bytes, 1) }]);
        const decoded = decodeFrame(frame);
        assert.equal(decoded?.size, frame.length);
        for (const raw of decoded.records) {
            const record = valueOf(outcomeOf(() => decodeJournalRecord(raw), isCorrupt));
            if (record === undefined) continue;
            const again = decodeFrame(encodeFrame(1, [encodeJournalRecord(record)]))?.records[0] ?? assert.fail();
            assert.equal(JSON.stringify(decodeJournalRecord(again)), JSON.stringify(record));
        }
    },
    (bytes) => {
        const line = Buffer.from(bytes);
        const record = decodeRecord(line);
        if (record === undefined) return;
        const text = line.toString("utf8");
        const again =
            record.kind === "event"
                ? encodeEvent(record.n, record.previous, record.at, { ...record, event: record.event as never }) // as EVENT
                : encodeOpening(record.n, record.previous, record.at, record.opening);
        assert.deepEqual(decodeRecord(Buffer.from(again)), record);
        // Before the body nothing may be written in another way.
        const bodyAt = again.indexOf(record.kind === "event" ? `"event":` : `"opening":`);
        assert.equal(text.slice(0, bodyAt), again.slice(0, bodyAt));
    },
    (bytes) => {
        const text = Buffer.from(bytes).toString("utf8");
        const checkpoint = parseCheckpoint(text);
        if (checkpoint !== undefined) assert.equal(formatCheckpoint(checkpoint), text);
    },
];

function* seeds(): Iterable<Uint8Array> {
    const damaged = copyBytes(SEGMENT);
    damaged[70] = 0;
    for (const reader of [0, 1]) {
        yield concatBytes(Uint8Array.of(reader), SEGMENT);
        yield concatBytes(Uint8Array.of(reader), damaged);
        yield concatBytes(Uint8Array.of(reader), SEGMENT.subarray(0, -5));
    }
    for (const record of JOURNAL) {
        const { kind, bytes } = encodeJournalRecord(record);
        yield concatBytes(Uint8Array.of(2, kind), bytes);
    }
    yield concatBytes(Uint8Array.of(2), encodeRecord(9, []).bytes);
    yield concatBytes(Uint8Array.of(3), encodeUtf8(encodeEvent(7, HASH, AT, EVENT)));
    yield concatBytes(Uint8Array.of(3), encodeUtf8(encodeOpening(1, GENESIS, AT, OPENING)));
    yield concatBytes(Uint8Array.of(4), encodeUtf8(formatCheckpoint(CHECKPOINT)));
}

export const target: FuzzTarget = {
    maxLength: 2048,
    seeds,
    run: (bytes) => READERS[(bytes[0] ?? 0) % READERS.length]?.(bytes.subarray(1)),
};

const isCorrupt = (error: unknown): boolean => error instanceof DependencyError && error.code === "OUTBOX_CORRUPT";

/** Frames, damage and a torn end make up the whole segment, and what is cut off its end changes nothing before. */
function checkScan(bytes: Uint8Array, last: boolean): void {
    const { frames, damages, wholeLength } = scanSegment(bytes, last);
    const read = frames.reduce((sum, { size }) => sum + size, 0) + damages.reduce((sum, { length }) => sum + length, 0);
    assert.equal(read, wholeLength);
    assert.ok(wholeLength <= bytes.length && (last || wholeLength === bytes.length));
    if (damages.length > 0) return;
    const cut = cutPoint(bytes);
    const part = scanSegment(bytes.subarray(0, cut), true);
    assert.ok(part.frames.length <= frames.length);
    assert.deepEqual(part.frames, frames.slice(0, part.frames.length));
}
