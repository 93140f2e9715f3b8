import assert from "node:assert/strict";
import { test } from "node:test";
import { Output, type Column } from "../src/output.ts";

interface Row {
    readonly user: string;
    readonly bytes: number;
    readonly note?: string;
}

const rows: readonly Row[] = [
    { user: "kim", bytes: 5 },
    { user: "alexandra", bytes: 1234, note: "vip" },
];
const columns: readonly Column<Row>[] = [
    { title: "USER", value: ({ user }) => user },
    { title: "BYTES", value: ({ bytes }) => bytes, align: "right" },
    { title: "NOTE", value: ({ note }) => note },
];

function print(options: { isTTY?: boolean; json?: boolean }, act: (output: Output) => void): string {
    let written = "";
    const stream = { write: (text: string) => (written += text), ...(options.isTTY ? { isTTY: true } : {}) };
    act(new Output(stream, options.json ?? false));
    return written;
}

test("a terminal gets a table", () => {
    assert.equal(
        print({ isTTY: true }, (output) => output.list(rows, columns, "none")),
        "USER       BYTES  NOTE\nkim            5  -\nalexandra   1234  vip\n",
    );
    assert.equal(
        print({ isTTY: true }, (output) => output.list([], columns, "no users")),
        "no users\n",
    );
});

test("a pipe gets lines with tabs and no title; nothing is nothing", () => {
    assert.equal(
        print({}, (output) => output.list(rows, columns, "none")),
        "kim\t5\t-\nalexandra\t1234\tvip\n",
    );
    assert.equal(
        print({}, (output) => output.list([], columns, "no users")),
        "",
    );
});

test("JSON has the rows themselves, at a terminal too", () => {
    const text = print({ json: true, isTTY: true }, (output) => output.list(rows, columns, "none"));
    assert.deepEqual(JSON.parse(text), rows);
    assert.deepEqual(JSON.parse(print({ json: true }, (output) => output.list([], columns, "none"))), []);
});

test("results and items are sentences, or JSON", () => {
    assert.equal(
        print({}, (output) => output.result({ a: 1 }, "done")),
        "done\n",
    );
    assert.deepEqual(JSON.parse(print({ json: true }, (output) => output.result({ a: 1 }, "done"))), { a: 1 });
    assert.equal(
        print({ json: true }, (output) => output.item({ a: 1 }, "line")),
        '{"a":1}\n',
    );
});

test("a name cannot move the cursor or add a row", () => {
    const hostile = [{ user: "a\u001B[2J\nb\tc\u202E", bytes: 1 }];
    const text = print({}, (output) => output.list(hostile, columns, "none"));
    assert.equal(text, "a·[2J·b·c·\t1\t-\n");
});
