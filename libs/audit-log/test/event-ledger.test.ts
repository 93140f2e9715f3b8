import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EventLedger, sequencedOf } from "../src/event-ledger.ts";

const SOURCE = "postern/main/session-worker/worker-1";
const EPOCH = 1_000;
const one = (sequence: number, epoch = EPOCH, source = SOURCE) => ({ source, epoch, sequence });

test("in any order and however often, each event is new once", () => {
    fc.assert(
        fc.property(
            fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 2 }))),
            (deliveries) => {
                const ledger = new EventLedger();
                const model = new Set<string>();
                for (const [sequence, epoch] of deliveries) {
                    const id = `${epoch}/${sequence}`;
                    assert.equal(ledger.judge(one(sequence, epoch)), model.has(id) ? "repeat" : "new");
                    if (!model.has(id)) ledger.note(one(sequence, epoch));
                    model.add(id);
                }
            },
        ),
    );
});

test("within a turn a gap is noticed, and that it closes late", () => {
    const ledger = new EventLedger();
    ledger.beginTurn(0);
    assert.deepEqual(ledger.note(one(1)), { kind: "in-order" });
    assert.deepEqual(ledger.note(one(4)), { kind: "gap", first: 2, last: 3 });
    assert.equal(ledger.missing, 2);
    assert.deepEqual(ledger.note(one(3)), { kind: "late" });
    assert.deepEqual(ledger.note(one(2)), { kind: "late" });
    assert.equal(ledger.missing, 0);
    assert.deepEqual(ledger.note(one(5)), { kind: "in-order" });
});

test("what was before the turn may be in another chain", () => {
    const ledger = new EventLedger();
    ledger.beginTurn(2_000);
    assert.deepEqual(ledger.note(one(7)), { kind: "in-order" });
    ledger.beginTurn(3_000);
    assert.deepEqual(ledger.note(one(20)), { kind: "in-order" });
    assert.equal(ledger.judge(one(12)), "new", "nobody knows whether the other chain has it");
    assert.deepEqual(ledger.note(one(22)), { kind: "gap", first: 21, last: 21 });
});

test("a start that is younger than the turn has to be there from its first event", () => {
    const ledger = new EventLedger();
    ledger.beginTurn(EPOCH - 1);
    assert.deepEqual(ledger.note(one(3)), { kind: "gap", first: 1, last: 2 });
});

test("an opening carries everything over", () => {
    const ledger = new EventLedger();
    for (const sequence of [1, 2, 3, 7, 9]) ledger.note(one(sequence));
    ledger.note(one(1, EPOCH + 1, "postern/main/cli/x"));
    const next = new EventLedger();
    next.restore(JSON.parse(JSON.stringify(ledger.recorded())) as ReturnType<EventLedger["recorded"]>); // as an opening carries it
    assert.deepEqual(next.recorded(), ledger.recorded());
    assert.equal(next.judge(one(7)), "repeat");
    assert.equal(next.judge(one(8)), "new");
    assert.deepEqual(next.holes(), [
        { source: SOURCE, epoch: EPOCH, first: 4, last: 6 },
        { source: SOURCE, epoch: EPOCH, first: 8, last: 8 },
    ]);
});

test("memory is bounded: the source that was silent longest is forgotten, and would be recorded again rather than lost", () => {
    const ledger = new EventLedger(3);
    for (const [epoch = 0, sequence = 0] of [
        [1, 1],
        [2, 1],
        [3, 1],
        [1, 2],
        [4, 1],
    ]) {
        ledger.note(one(sequence, epoch));
    }
    assert.equal(ledger.recorded().length, 3);
    assert.equal(ledger.judge(one(1, 2)), "new");
    assert.equal(ledger.judge(one(1, 1)), "repeat");
});

test("samples have no identity", () => {
    assert.deepEqual(sequencedOf({ ...one(3), type: "x" }), one(3));
    assert.equal(sequencedOf({ source: SOURCE }), undefined);
    assert.equal(sequencedOf({ ...one(0) }), undefined);
    assert.equal(sequencedOf({ ...one(1.5) }), undefined);
    assert.equal(sequencedOf({ source: 1, epoch: 1, sequence: 1 }), undefined);
});
