// Everything that is said on the bus: questions, answers, records, events.  The first octet says what the JSON is to be.
import assert from "node:assert/strict";
import * as contracts from "@postern/contracts";
import { concatBytes } from "@postern/bytes";
import { DependencyError } from "@postern/errors";
import type { z } from "zod";
import { decodeJson, encodeJson } from "../../../libs/bus/src/json.ts";
import type { FuzzTarget } from "../fuzz-target.ts";
import { outcomeOf, valueOf } from "../properties.ts";
import { samplesOf } from "../schema-samples.ts";

const { BUCKETS, CloudEvent, eventByType, EVENTS, registrySnapshot } = contracts;

const isRequest = (exported: unknown): exported is contracts.RequestContract<z.ZodType, z.ZodType> =>
    typeof exported === "object" && exported !== null && "question" in exported && "answer" in exported;

const SCHEMAS: readonly z.ZodType[] = [
    CloudEvent,
    ...Object.values<unknown>(contracts)
        .filter(isRequest)
        .flatMap(({ question, answer }) => [question, answer]),
    ...Object.values(BUCKETS).map(({ value }): z.ZodType => value),
    ...EVENTS.map(({ data }) => data),
];

/** Characters of the longest error: it is logged. */
const LONGEST_ERROR = 1_000;

function* seeds(): Iterable<Uint8Array> {
    for (const [index, schema] of SCHEMAS.entries()) {
        for (const sample of samplesOf(schema)) {
            yield concatBytes(Uint8Array.of(index), Buffer.from(encodeJson(schema, sample, "a seed")));
        }
    }
    yield concatBytes(Uint8Array.of(0), Buffer.from(`{"data":{"__proto__":{"a":1}}}`));
    const snapshot = SCHEMAS.indexOf(registrySnapshot.question);
    const deep = "[".repeat(3_000) + "]".repeat(3_000);
    yield concatBytes(Uint8Array.of(snapshot), Buffer.from(`{"snapshot":{"sstp":${deep}}}`));
    yield concatBytes(Uint8Array.of(snapshot), Buffer.from(`{"snapshot":{"deadlines":{"${"n".repeat(1_000)}":1}}}`));
}

export const target: FuzzTarget = {
    maxLength: 8192,
    seeds,
    run(bytes) {
        const schema = SCHEMAS[(bytes[0] ?? 0) % SCHEMAS.length] ?? CloudEvent;
        const outcome = outcomeOf(() => decodeJson(schema, bytes.subarray(1), "message"), isBadMessage);
        if ("error" in outcome) return assert.ok(outcome.error.message.length <= LONGEST_ERROR, "an endless error");
        const { value } = outcome;
        assertPlain(value);
        assert.deepEqual(Object.keys(Object.prototype), [], "a prototype of everybody's was changed");
        const text = encodeJson(schema, value, "the same");
        const again = decodeJson(schema, Buffer.from(text), "the same");
        assert.equal(JSON.stringify(again), text);
        const event = valueOf(outcomeOf(() => CloudEvent.safeParse(value).data));
        if (event !== undefined) eventByType(event.type)?.data.safeParse(event.data);
    },
};

const isBadMessage = (error: unknown): boolean => error instanceof DependencyError && error.code === "BUS_BAD_MESSAGE";

/** No object got its prototype from the message. */
function assertPlain(value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    const prototype: unknown = Object.getPrototypeOf(value);
    assert.ok(
        prototype === Object.prototype || prototype === Array.prototype || prototype === null,
        "a foreign prototype",
    );
    for (const part of Object.values(value)) assertPlain(part);
}
