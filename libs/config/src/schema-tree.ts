// A zod schema seen as a tree of keys: for paths, for messages and for the reference pages.
import { z } from "zod";

/** A schema without the wrappers that say nothing about its kind, and what those wrappers said. */
export interface Unwrapped {
    readonly schema: z.core.$ZodType;
    readonly optional: boolean;
    /** In the notation of the file; `undefined`: none. */
    readonly default: unknown;
    readonly meta: z.core.GlobalMeta;
}

export function unwrap(outer: z.core.$ZodType): Unwrapped {
    let schema = outer;
    let optional = false;
    let fallback: unknown;
    let meta: z.core.GlobalMeta = {};
    for (;;) {
        meta = { ...z.globalRegistry.get(schema), ...meta };
        if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
            fallback ??= schema.def.defaultValue;
        } else if (schema instanceof z.ZodOptional) optional = true;
        else if (schema instanceof z.ZodPipe) {
            schema = schema.def.in;
            continue;
        } else if (!(schema instanceof z.ZodNullable || schema instanceof z.ZodReadonly)) {
            return { schema, optional, default: fallback, meta };
        }
        schema = schema.def.innerType;
    }
}

/** The schemas that may apply to what is under `step` of a value of this schema. */
export function under(schema: z.core.$ZodType, step: PropertyKey): readonly z.core.$ZodType[] {
    const inner = unwrap(schema).schema;
    if (inner instanceof z.ZodObject) {
        const child = inner.def.shape[String(step)];
        return child === undefined ? [] : [child];
    }
    if (inner instanceof z.ZodArray) return [inner.def.element];
    if (inner instanceof z.ZodRecord) return [inner.def.valueType];
    if (inner instanceof z.ZodUnion) return inner.def.options.flatMap((option) => under(option, step));
    return [];
}

/** The keys that a map at `path` may have. */
export function keysAt(root: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
    const found = path.reduce<readonly z.core.$ZodType[]>(
        (schemas, step) => schemas.flatMap((schema) => under(schema, step)),
        [root],
    );
    return [...new Set(found.flatMap(objectKeys))];
}

function objectKeys(schema: z.core.$ZodType): readonly string[] {
    const inner = unwrap(schema).schema;
    if (inner instanceof z.ZodObject) return Object.keys(inner.def.shape);
    return inner instanceof z.ZodUnion ? inner.def.options.flatMap(objectKeys) : [];
}
