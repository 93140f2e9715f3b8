import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { ConfigError } from "@postern/errors";
import { eventually } from "@postern/testkit";
import { readPassword } from "../src/password-input.ts";

const piped = (input: string): Promise<string> => {
    const stream = new PassThrough();
    stream.end(input);
    return readPassword("kim", { input: stream, output: new PassThrough() });
};

test("a password from a pipe is its one line, with or without an end", async () => {
    assert.equal(await piped("s3cret pass\n"), "s3cret pass");
    assert.equal(await piped("s3cret pass\r\n"), "s3cret pass");
    assert.equal(await piped(" blanks count "), " blanks count ");
});

test("an empty pipe and one with more than a line are refused", async () => {
    for (const input of ["", "\n", "one\ntwo\n"])
        await assert.rejects(piped(input), ConfigError, JSON.stringify(input));
});

/** A person at a terminal who types `lines`, each when asked. */
async function typed(lines: readonly string[]): Promise<{ password: Promise<string>; shown: () => Promise<string> }> {
    const input = Object.assign(new PassThrough(), { isTTY: true });
    const output = new PassThrough();
    let prompts = "";
    output.on("data", (chunk: Buffer) => (prompts += chunk.toString()));
    const password = readPassword("kim", { input, output });
    password.catch(() => undefined);
    for (const [index, line] of lines.entries()) {
        await eventually(() => assert.equal(prompts.match(/: /g)?.length, index + 1));
        input.write(`${line}\r`);
    }
    return { password, shown: () => text(output.end()) };
}

test("a terminal is asked twice and shows nothing of it", async () => {
    const { password, shown } = await typed(["s3cret", "s3cret"]);
    assert.equal(await password, "s3cret");
    assert.ok(!(await shown()).includes("s3cret"));
});

test("two different answers are refused", async () => {
    const { password } = await typed(["s3cret", "secret"]);
    await assert.rejects(password, /differ/);
});
