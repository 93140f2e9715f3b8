import assert from "node:assert/strict";
import { test } from "node:test";
import { flameGraph, parsePerfScript } from "../../report/flame-graph.ts";

const sample = (...frames: string[]): string => ["node 1 0.1:  250000 cpu-clock:", ...frames, ""].join("\n");
const READ = sample(
    "\tffffffff82010248 tcp_recvmsg_locked+0x768 ([kernel.kallsyms])",
    "\t           f82ec read+0x4c (/usr/lib/libc.so.6)",
    "\t         1622da1 uv__io_poll+0x4a1 (/opt/node)",
    "\t           2724a __libc_start_call_main+0x7a (/usr/lib/libc.so.6)",
);
const TAKE = sample(
    "\t            63c1 postern::Coalescer<postern::Device>::add+0x131 (/opt/tun.node)",
    "\t              18 [unknown] ([unknown])",
    "\t        2319e000 [unknown] ([unknown])",
);

test("stacks begin at the outermost frame that is known, or in JavaScript", () => {
    const stacks = [...parsePerfScript(`${READ}\n${TAKE}`)].map((stack) => stack.map(({ name, kind }) => [name, kind]));
    assert.deepEqual(stacks, [
        [
            ["uv__io_poll", "node"],
            ["read", "library"],
            ["tcp_recvmsg_locked", "kernel"],
        ],
        [
            ["JavaScript", "script"],
            ["postern::Coalescer<postern::Device>::add", "addon"],
        ],
    ]);
});

test("a box is as wide as its share of the samples", () => {
    const svg = flameGraph("upload", [READ, READ, READ, TAKE].join("\n"));
    assert.match(svg, /<title>all, 100 %<\/title>/);
    assert.match(svg, /<title>uv__io_poll, 75 %<\/title><rect x="\d+\.0" y="\d+" width="750\.0"/);
    assert.match(svg, /<title>postern::Coalescer&lt;postern::Device&gt;::add, 25 %<\/title>/);
});
