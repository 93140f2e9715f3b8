// What postern.yaml leaves to the reader: `{service}` and `{instance}`, relative paths, and the overrides of one instance.
import { resolve } from "node:path";
import { z } from "zod";
import { under, unwrap } from "./schema-tree.ts";

type Tree = Readonly<Record<string, unknown>>;

export const isTree = (value: unknown): value is Tree =>
    typeof value === "object" && value !== null && !Array.isArray(value);

/** `overrides` over `base`: maps are merged key by key, everything else is replaced. */
export function merge(base: unknown, overrides: unknown): unknown {
    if (!isTree(base) || !isTree(overrides)) return overrides;
    const merged: Record<string, unknown> = { ...base };
    for (const [key, value] of Object.entries(overrides)) merged[key] = key in base ? merge(base[key], value) : value;
    return merged;
}

/** Applies `change` to every string of a tree of plain values. */
function mapStrings(value: unknown, change: (text: string) => string): unknown {
    if (typeof value === "string") return change(value);
    if (Array.isArray(value)) return value.map((item) => mapStrings(item, change));
    if (!isTree(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, change)]));
}

/** Puts the reader's name where the file leaves room for it. */
export const nameReader = (value: unknown, { service, instance }: { service?: string; instance: string }): unknown =>
    mapStrings(value, (text) => {
        const named = text.replaceAll("{instance}", instance);
        return service === undefined ? named : named.replaceAll("{service}", service);
    });

/** Makes every `file` and `directory` of a parsed value absolute. */
export function absolutePaths(schema: z.core.$ZodType, value: unknown, directory: string): unknown {
    if (typeof value === "string") {
        const { kind } = unwrap(schema).meta;
        return kind === "file" || kind === "directory" ? resolve(directory, value) : value;
    }
    const inner = select(unwrap(schema).schema, value);
    const child = (step: PropertyKey, item: unknown): unknown => {
        const [found] = under(inner, step);
        return found === undefined ? item : absolutePaths(found, item, directory);
    };
    if (Array.isArray(value)) return value.map((item, index) => child(index, item));
    if (!isTree(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, child(key, item)]));
}

/** The option of a union that a parsed value belongs to: the one whose literals it has. */
function select(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
    if (!(schema instanceof z.ZodUnion) || !isTree(value)) return schema;
    const fits = (option: z.core.$ZodType): boolean => {
        const { schema: inner } = unwrap(option);
        if (!(inner instanceof z.ZodObject)) return false;
        return Object.entries(inner.def.shape).every(
            ([key, child]) =>
                !(child instanceof z.ZodLiteral) || child.def.values.some((literal) => literal === value[key]),
        );
    };
    return schema.def.options.find(fits) ?? schema;
}

export function deepFreeze<T>(value: T): T {
    if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
        Object.freeze(value);
        Object.values(value).forEach(deepFreeze);
    }
    return value;
}
