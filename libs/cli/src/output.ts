// One result, three forms: JSON for programs, a table for a person at a terminal, plain lines for everything else.

export interface Column<Row> {
    readonly title: string;
    readonly value: (row: Row) => string | number | undefined;
    /** Numbers stand under one another by their last digit. */
    readonly align?: "right";
}

interface Stream {
    write(text: string): unknown;
    readonly isTTY?: boolean;
}

export class Output {
    readonly #stream: Stream;
    readonly json: boolean;

    constructor(stream: Stream, json: boolean) {
        this.#stream = stream;
        this.json = json;
    }

    /** A list: `rows` as JSON objects, else `columns` of them; `empty` is said at a terminal that would show nothing. */
    list<Row>(rows: readonly Row[], columns: readonly Column<Row>[], empty: string): void {
        if (this.json) return this.#write(JSON.stringify(rows, undefined, 2));
        const cells = rows.map((row) => columns.map(({ value }) => printable(String(value(row) ?? "-"))));
        if (this.#stream.isTTY !== true) return cells.forEach((line) => this.#write(line.join("\t")));
        if (rows.length === 0) return this.#write(empty);
        for (const line of tableLines(columns, cells)) this.#write(line);
    }

    /** A single fact. */
    result(value: object, sentence: string): void {
        this.#write(this.json ? JSON.stringify(value, undefined, 2) : printable(sentence));
    }

    /** One of many facts that come over time. */
    item(value: object, line: string): void {
        this.#write(this.json ? JSON.stringify(value) : printable(line));
    }

    /** Text that is the result itself. */
    text(text: string): void {
        this.#write(text);
    }

    #write(line: string): void {
        this.#stream.write(`${line}\n`);
    }
}

function* tableLines<Row>(columns: readonly Column<Row>[], cells: readonly (readonly string[])[]): Generator<string> {
    const widths = columns.map(({ title }, index) =>
        Math.max(title.length, ...cells.map((line) => line[index]?.length ?? 0)),
    );
    const fit = (text: string, index: number): string => {
        const width = widths[index] ?? 0;
        return columns[index]?.align === "right" ? text.padStart(width) : text.padEnd(width);
    };
    const join = (texts: readonly string[]): string => texts.map(fit).join("  ").trimEnd();
    yield join(columns.map(({ title }) => title));
    for (const line of cells) yield join(line);
}

/** User names and client strings come from outside: nothing that controls or disguises text reaches the terminal, and a row stays a row. */
const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}]/gu, "\u00B7");
