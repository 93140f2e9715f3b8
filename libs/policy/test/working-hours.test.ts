import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openUntil, WEEKDAYS, type WorkingHours } from "@postern/policy";

const BERLIN = "Europe/Berlin";
const at = (text: string): number => Date.parse(text);

const OFFICE: WorkingHours = {
    zone: BERLIN,
    spans: [{ days: ["mon", "tue", "wed", "thu", "fri"], from: "07:00", to: "19:00" }],
};

test("within a span it is open until the span ends, by the clock of the zone", () => {
    // A Tuesday.
    assert.equal(openUntil(OFFICE, at("2026-11-24T07:00:00+01:00")), at("2026-11-24T19:00:00+01:00"));
    assert.equal(openUntil(OFFICE, at("2026-11-24T17:59:59Z")), at("2026-11-24T18:00:00Z"));
    assert.equal(openUntil(OFFICE, at("2026-07-21T16:59:59Z")), at("2026-07-21T17:00:00Z"));
});

test("before, after and on other days it is closed", () => {
    for (const moment of ["2026-11-24T06:59:59+01:00", "2026-11-24T19:00:00+01:00", "2026-11-28T12:00:00+01:00"]) {
        assert.equal(openUntil(OFFICE, at(moment)), "closed", moment);
    }
});

test("spans that follow one another, over midnight too, are one", () => {
    const night: WorkingHours = {
        zone: BERLIN,
        spans: [
            { days: ["sat"], from: "00:00", to: "06:00" },
            { days: ["fri"], from: "22:00", to: "24:00" },
            { days: ["fri"], from: "20:00", to: "22:30" },
        ],
    };
    assert.equal(openUntil(night, at("2026-11-27T20:00:00+01:00")), at("2026-11-28T06:00:00+01:00"));
    assert.equal(openUntil(night, at("2026-11-28T05:59:00+01:00")), at("2026-11-28T06:00:00+01:00"));
    assert.equal(openUntil(night, at("2026-11-27T05:59:00+01:00")), "closed");
});

test("a span over the hour that a clock skips or repeats is as much shorter or longer", () => {
    const night: WorkingHours = { zone: BERLIN, spans: [{ days: ["sun"], from: "01:00", to: "04:00" }] };
    const length = (from: string): number => Number(openUntil(night, at(from))) - at(from);
    assert.equal(length("2026-03-29T01:00:00+01:00"), 2 * 3_600_000);
    assert.equal(length("2026-10-25T01:00:00+02:00"), 4 * 3_600_000);
});

test("all days and all hours are always", () => {
    const spans = [{ days: WEEKDAYS, from: "00:00", to: "24:00" }];
    assert.equal(openUntil({ zone: BERLIN, spans }, at("2026-11-24T12:00:00Z")), "always");
    assert.equal(openUntil({ zone: BERLIN, spans: [] }, at("2026-11-24T12:00:00Z")), "closed");
});

test("until the end every moment is open, and the end is not", () => {
    const minute = fc.nat(24 * 60 - 1).map((total) => total);
    const clock = (total: number): string =>
        `${String(Math.floor(total / 60)).padStart(2, "0")}:${String(total % 60).padStart(2, "0")}`;
    const span = fc
        .record({ days: fc.subarray([...WEEKDAYS], { minLength: 1 }), first: minute, second: minute })
        .filter(({ first, second }) => first !== second)
        .map(({ days, first, second }) => ({
            days,
            from: clock(Math.min(first, second)),
            to: clock(Math.max(first, second)),
        }));
    const moment = fc.integer({ min: at("2026-01-01T00:00:00Z"), max: at("2026-12-31T00:00:00Z") });
    fc.assert(
        fc.property(fc.array(span, { maxLength: 5 }), moment, (spans, now) => {
            const hours: WorkingHours = { zone: BERLIN, spans };
            const end = openUntil(hours, now);
            if (typeof end !== "number") return;
            assert.ok(end > now);
            assert.equal(openUntil(hours, end), "closed");
            assert.equal(openUntil(hours, end - 1), end);
            assert.equal(openUntil(hours, Math.floor((now + end) / 2)), end);
        }),
    );
});
