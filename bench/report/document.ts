// docs/benchmarks.md: what people wrote in it stays, what lies between the marks is made anew; and the plots beside it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { InvariantError } from "@postern/errors";
import { plotFile, resultsText } from "./markdown.ts";
import { plot } from "./plot.ts";
import type { Results } from "./results.ts";

const DOCS = path.join(import.meta.dirname, "../../docs");
const PAGE = path.join(DOCS, "benchmarks.md");
const BEGIN = "<!-- generated: begin -->";
const END = "<!-- generated: end -->";

/** `page` with `text` between the marks. */
export function renewed(page: string, text: string): string {
    const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
    if (begin < 0 || end < begin) throw new InvariantError(`a page without ${BEGIN} and ${END}`);
    return `${page.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${page.slice(end)}`;
}

export function writeDocument(results: Results): void {
    writeFileSync(PAGE, renewed(readFileSync(PAGE, "utf8"), resultsText(results)));
    mkdirSync(path.join(DOCS, "benchmarks"), { recursive: true });
    for (const row of results.rows) writeFileSync(path.join(DOCS, plotFile(row)), plot(row));
}
