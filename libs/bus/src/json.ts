// JSON on the wire, checked against a schema in both directions.
import { DependencyError } from "@postern/errors";
import type { z } from "zod";

/** Levels of objects and arrays; ours have fewer than ten.  What reads a message descends into it, and must not fall off the stack. */
const MAX_DEPTH = 64;
/** Characters of what is wrong with a message: names of fields are the sender's. */
const MAX_DETAIL = 500;

/** Each text is whole, so that one decoder serves all. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** The value in `payload`.  `what` names the message in the error; the error never quotes values, which may be secret. */
export function decodeJson<S extends z.ZodType>(schema: S, payload: Uint8Array, what: string): z.output<S> {
    let value: unknown;
    try {
        value = JSON.parse(UTF8.decode(payload));
    } catch (cause) {
        throw new DependencyError("BUS_BAD_MESSAGE", `${what} is not JSON`, { cause });
    }
    if (isDeeperThan(value, MAX_DEPTH)) {
        throw new DependencyError("BUS_BAD_MESSAGE", `${what} is nested deeper than ${MAX_DEPTH} levels`);
    }
    return check(schema, value, what);
}

/** The JSON of `value` as it was given: defaults are filled in by the reader. */
export function encodeJson<S extends z.ZodType>(schema: S, value: z.input<S>, what: string): string {
    check(schema, value, what);
    return JSON.stringify(value);
}

function check<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const issues = result.error.issues.map(({ path, message }) => `${path.join(".") || "(whole)"}: ${message}`);
    throw new DependencyError("BUS_BAD_MESSAGE", `${what}: ${issues.slice(0, 5).join("; ").slice(0, MAX_DETAIL)}`);
}

function isDeeperThan(value: unknown, levels: number): boolean {
    if (typeof value !== "object" || value === null) return false;
    return levels === 0 || Object.values(value).some((part) => isDeeperThan(part, levels - 1));
}
