// JSON on the wire, checked against a schema in both directions.
import { DependencyError } from "@postern/errors";
import type { z } from "zod";

/** The value in `payload`.  `what` names the message in the error; the error never quotes values, which may be secret. */
export function decodeJson<S extends z.ZodType>(schema: S, payload: Uint8Array, what: string): z.output<S> {
    let value: unknown;
    try {
        value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    } catch (cause) {
        throw new DependencyError("BUS_BAD_MESSAGE", `${what} is not JSON`, { cause });
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
    throw new DependencyError("BUS_BAD_MESSAGE", `${what}: ${issues.slice(0, 5).join("; ")}`);
}
