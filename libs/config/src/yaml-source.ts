// A YAML 1.2 document that knows where each of its keys is.
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Document } from "yaml";
import type { Problem } from "./problems.ts";

export type Path = readonly PropertyKey[];

const MAX_ALIASES = 100;

export class YamlSource {
    readonly #document: Document;
    readonly #lines = new LineCounter();
    /** Syntax errors, duplicate keys, tags that mean nothing here. */
    readonly problems: readonly Problem[];
    /** The document as plain objects; an empty one is an empty map. */
    readonly value: unknown;

    constructor(text: string) {
        this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
        const problems = [...this.#document.errors, ...this.#document.warnings].map(({ pos: [at], message }) => ({
            ...this.#place(at),
            key: "",
            message,
        }));
        try {
            this.value = this.#document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {};
        } catch (error) {
            // A document whose aliases multiply is refused by the parser's own count.
            problems.push({
                ...this.#place(0),
                key: "",
                message: error instanceof Error ? error.message : String(error),
            });
        }
        this.problems = problems;
    }

    /** The place of the key at `path`, or of the nearest one above it. */
    positionOf(path: Path): { line: number; column: number } {
        let node: unknown = this.#document.contents;
        let at = offsetOf(node);
        for (const step of path) {
            if (isMap(node)) {
                const pair = node.items.find(({ key }) => (isScalar(key) ? key.value : key) === step);
                if (pair === undefined) break;
                at = offsetOf(pair.key) ?? at;
                node = pair.value;
            } else if (isSeq(node)) {
                node = node.items[Number(step)];
                at = offsetOf(node) ?? at;
            } else break;
        }
        return this.#place(at ?? 0);
    }

    #place(offset: number): { line: number; column: number } {
        const { line, col } = this.#lines.linePos(offset);
        return { line: Math.max(line, 1), column: Math.max(col, 1) };
    }
}

const offsetOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);
