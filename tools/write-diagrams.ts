// Writes docs/diagrams: node_modules/.bin/node tools/write-diagrams.ts
import { writeFileSync } from "node:fs";
import { stateDiagrams } from "./state-diagrams.ts";

for (const [file, text] of Object.entries(stateDiagrams())) {
    writeFileSync(new URL(`../docs/diagrams/${file}`, import.meta.url), text);
}
