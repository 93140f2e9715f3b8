// `npm run reference -w @postern/config`: brings the tables of the two reference pages up to date with the schema.
import { readFileSync, writeFileSync } from "node:fs";
import { InvariantError } from "@postern/errors";
import { configurationTables, limitTable, replaceGenerated } from "./reference-tables.ts";

const docs = new URL("../../../docs/", import.meta.url);

for (const [name, tables] of [
    ["configuration.md", configurationTables()],
    ["limits.md", limitTable()],
] as const) {
    const page = replaceGenerated(readFileSync(new URL(name, docs), "utf8"), tables);
    if (page === undefined) throw new InvariantError(`docs/${name} has lost its markers`);
    writeFileSync(new URL(name, docs), page);
}
