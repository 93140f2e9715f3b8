import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Command } from "commander";
import { createProgram } from "../src/program.ts";

const { stdin, stdout, stderr } = process;
const interrupted = new AbortController().signal;
const program = createProgram({ stdin, stdout, stderr, interrupted, defaultConfig: "postern.yaml" }, () => undefined);

/** `bans add`, `user list`, … */
function leaves(command: Command, path: readonly string[] = []): string[][] {
    return command.commands.length === 0
        ? [[...path]]
        : command.commands.flatMap((child) => leaves(child, [...path, child.name()]));
}

test("docs/cli.md names every command and every option", () => {
    const page = readFileSync(new URL("../../../docs/cli.md", import.meta.url), "utf8");
    for (const path of leaves(program)) {
        const [first = "", ...rest] = path;
        const row = page.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${first}`));
        assert.ok(row !== undefined, first);
        for (const word of rest) assert.ok(word === "list" || row.includes(word), path.join(" "));
    }
});

test("every command, argument and option says what it is", () => {
    const check = (command: Command): void => {
        assert.notEqual(command.description(), "", command.name());
        for (const { flags, description } of command.options) assert.notEqual(description, "", flags);
        for (const child of command.commands) check(child);
    };
    check(program);
});
