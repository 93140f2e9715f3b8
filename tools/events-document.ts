// The generated parts of docs/events.md, and docs/asyncapi.json: both from the contracts.
import { asyncApiDocument, EVENTS, eventType, FIELD_MEANINGS, REASON_MEANINGS } from "@postern/contracts";
import { z } from "zod";

const BEGIN = "<!-- generated: begin -->";
const END = "<!-- generated: end -->";

interface Schema {
    readonly type?: string;
    readonly const?: unknown;
    readonly enum?: readonly unknown[];
    readonly format?: string;
    readonly items?: Schema;
    readonly anyOf?: readonly Schema[];
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly required?: readonly string[];
}

interface Field {
    readonly path: string;
    readonly type: string;
    readonly isOptional: boolean;
}

function typeOf(schema: Schema): string {
    if (schema.enum !== undefined)
        return schema.enum.length > 4 ? "reason" : schema.enum.map((value) => `\`${String(value)}\``).join(" ");
    if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(" or ");
    if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
    return schema.format ?? schema.type ?? "any";
}

function fieldsOf(schema: Schema, prefix = ""): Field[] {
    return Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
        const path = `${prefix}${name}`;
        const field = { path, type: typeOf(inner), isOptional: schema.required?.includes(name) !== true };
        return [field, ...fieldsOf(inner, `${path}.`)];
    });
}

const dataFields = (event: (typeof EVENTS)[number]): Field[] =>
    fieldsOf(z.toJSONSchema(event.data, { io: "input" }) as Schema); // what zod makes of a strictObject

/** Paths of data fields in any event. */
export const fieldPaths = (): Set<string> =>
    new Set(EVENTS.flatMap((event) => dataFields(event).map(({ path }) => path)));

function tables(): string {
    const lines = ["| Event | Subject | Durable | What happened |", "| --- | --- | --- | --- |"];
    for (const event of EVENTS) {
        const name = `${event.kind}.${event.name}`;
        const anchor = `${event.kind}${event.name}`;
        lines.push(
            `| [\`${name}\`](#${anchor}) | \`postern.<tenant>.event.${name}.*\` | ${event.durable ? "yes" : "no"} | ${event.summary} |`,
        );
    }
    for (const event of EVENTS) {
        const name = `${event.kind}.${event.name}`;
        lines.push(
            "",
            `## ${name}`,
            "",
            `Type \`${eventType(event)}\`. ${event.summary}`,
            "",
            "| Field of `data` | Type | Meaning |",
            "| --- | --- | --- |",
        );
        for (const { path, type, isOptional } of dataFields(event)) {
            lines.push(`| \`${path}\` | ${type}${isOptional ? ", optional" : ""} | ${FIELD_MEANINGS[path] ?? ""} |`);
        }
        const reasons = Object.entries(REASON_MEANINGS).find(([key]) => key === name)?.[1];
        if (reasons === undefined) continue;
        lines.push("", "| `reason` | Meaning |", "| --- | --- |");
        for (const [reason, meaning] of Object.entries(reasons)) lines.push(`| \`${reason}\` | ${meaning} |`);
    }
    return lines.join("\n");
}

/** The page with its generated part renewed; the rest is written by hand. */
export function renewedPage(page: string): string {
    const [before, rest = ""] = page.split(BEGIN);
    return `${before}${BEGIN}\n\n${tables()}\n\n${END}${rest.split(END)[1] ?? ""}`;
}

export const asyncApiText = (version: string): string => `${JSON.stringify(asyncApiDocument(version), undefined, 2)}\n`;
