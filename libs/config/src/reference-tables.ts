// The tables of docs/configuration.md and docs/limits.md.
import { keyReferences, type KeyReference } from "./reference.ts";

const BEGIN = "<!-- generated: begin -->";
const END = "<!-- generated: end -->";

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const code = (text: string): string => `\`${cell(text)}\``;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
    const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
    return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

const fallback = (reference: KeyReference): string => {
    if (reference.default !== undefined) return code(reference.default);
    return reference.required ? "*required*" : "none";
};

/** One table for each first word of the keys. */
export function configurationTables(references: readonly KeyReference[] = keyReferences()): string {
    const sections = Map.groupBy(references, ({ key }) => (key.includes(".") ? key.slice(0, key.indexOf(".")) : ""));
    const parts = [...sections].map(([section, keys]) => [
        section === "" ? "## The installation" : `## ${code(section)}`,
        "",
        ...table(
            ["Key", "Type", "Default", "Meaning"],
            keys.map((reference) => [
                code(reference.key),
                cell(reference.type),
                fallback(reference),
                cell(reference.meaning ?? ""),
            ]),
        ),
    ]);
    return parts.map((lines) => lines.join("\n")).join("\n\n");
}

export function limitTable(references: readonly KeyReference[] = keyReferences()): string {
    const limits = references.filter(({ limit }) => limit !== undefined);
    const rows = limits.map((reference) => [code(reference.key), fallback(reference), cell(reference.limit ?? "")]);
    return table(["Key", "Default", "What it bounds"], rows).join("\n");
}

/** `page` with everything between its two markers replaced; `undefined`: it has no markers. */
export function replaceGenerated(page: string, tables: string): string | undefined {
    const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
    if (from < 0 || to < from) return undefined;
    return `${page.slice(0, from + BEGIN.length)}\n\n${tables}\n\n${page.slice(to)}`;
}
