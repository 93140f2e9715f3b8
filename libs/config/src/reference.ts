// The reference pages and the editor's JSON Schema, from the same schema that reads the file.
import { InstanceId, SERVICES } from "@postern/contracts";
import { z } from "zod";
import { rootSchema } from "./schema.ts";
import { unwrap } from "./schema-tree.ts";

export interface KeyReference {
    /** `ingress.limits.perSource`; `[]` for the members of a list, `<name>` for those of a map. */
    readonly key: string;
    readonly type: string;
    /** As it would be written in the file; `undefined`: there is none. */
    readonly default: string | undefined;
    readonly required: boolean;
    readonly meaning: string | undefined;
    /** What the key bounds, if it is a limit. */
    readonly limit: string | undefined;
}

/** Every key of postern.yaml, in the order of the schema. */
export const keyReferences = (): KeyReference[] => [...walk(rootSchema, "")];

function* walk(schema: z.core.$ZodType, prefix: string): Generator<KeyReference> {
    const { schema: inner } = unwrap(schema);
    if (inner instanceof z.ZodObject) {
        for (const [name, child] of Object.entries(inner.def.shape)) {
            const key = prefix === "" ? name : `${prefix}.${name}`;
            const reference = describe(child, key);
            // A map with keys of its own needs a line only where it has something to say.
            if (!(unwrap(child).schema instanceof z.ZodObject) || reference.meaning !== undefined) yield reference;
            yield* walk(child, key);
        }
    } else if (inner instanceof z.ZodArray) yield* walk(inner.def.element, `${prefix}[]`);
    else if (inner instanceof z.ZodRecord) yield* walk(inner.def.valueType, `${prefix}.<name>`);
    else if (inner instanceof z.ZodUnion) {
        for (const option of inner.def.options) yield* walk(option, `${prefix}${literalsOf(option)}`);
    }
}

function describe(schema: z.core.$ZodType, key: string): KeyReference {
    const { schema: inner, optional, default: fallback, meta } = unwrap(schema);
    return {
        key,
        type: typeName(inner, meta),
        default: fallback === undefined ? undefined : written(fallback),
        required: !optional && fallback === undefined,
        meaning: meta.description,
        limit: meta.limit,
    };
}

const written = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

function typeName(schema: z.core.$ZodType, meta: z.core.GlobalMeta): string {
    if (meta.kind !== undefined) return meta.kind;
    if (schema instanceof z.ZodEnum) return Object.values(schema.def.entries).join(" or ");
    if (schema instanceof z.ZodLiteral) return schema.def.values.map(String).join(" or ");
    if (schema instanceof z.ZodNumber) return schema.isInt ? "integer" : "number";
    if (schema instanceof z.ZodBoolean) return "true or false";
    if (schema instanceof z.ZodArray) {
        const { schema: element, meta: elementMeta } = unwrap(schema.def.element);
        return `list of ${typeName(element, elementMeta)}`;
    }
    if (schema instanceof z.ZodObject || schema instanceof z.ZodRecord) return "map";
    if (schema instanceof z.ZodUnion) {
        const names = schema.def.options.map((option) => typeName(unwrap(option).schema, unwrap(option).meta));
        return [...new Set(names)].join(" or ");
    }
    return "string";
}

/** ` (type: syslog)` for an option that is told apart by a literal key. */
function literalsOf(option: z.core.$ZodType): string {
    const { schema } = unwrap(option);
    if (!(schema instanceof z.ZodObject)) return "";
    const literals = Object.entries(schema.def.shape).flatMap(([key, child]) =>
        child instanceof z.ZodLiteral ? [`${key}: ${child.def.values.map(String).join(" or ")}`] : [],
    );
    return literals.length === 0 ? "" : ` (${literals.join(", ")})`;
}

interface JsonObject {
    [key: string]: unknown;
}

const isObject = (value: unknown): value is JsonObject =>
    typeof value === "object" && value !== null && !Array.isArray(value);

/** JSON Schema of postern.yaml, for editors: `# yaml-language-server: $schema=postern.schema.json`. */
export function configJsonSchema(): object {
    const root: JsonObject = z.toJSONSchema(rootSchema, {
        io: "input",
        override: ({ jsonSchema }) => {
            delete jsonSchema["kind"];
            delete jsonSchema["limit"];
        },
    });
    const sections = isObject(root["properties"]) ? root["properties"] : {};
    for (const service of SERVICES) {
        const section = sections[service];
        if (!isObject(section) || !isObject(section["properties"])) continue;
        section["properties"] = {
            ...section["properties"],
            instances: {
                type: "object",
                description: "Keys that differ for single instances, by instance id.",
                propertyNames: z.toJSONSchema(InstanceId),
                additionalProperties: partial(section),
            },
        };
    }
    return root;
}

/** The same schema with nothing required and no defaults: an override says only what differs. */
function partial(schema: unknown): unknown {
    if (Array.isArray(schema)) return schema.map(partial);
    if (!isObject(schema)) return schema;
    return Object.fromEntries(
        Object.entries(schema).flatMap(([key, value]) =>
            key === "required" || key === "default" || key === "$schema" ? [] : [[key, partial(value)]],
        ),
    );
}
