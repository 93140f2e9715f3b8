import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { DependencyError } from "@postern/errors";
import { freeLoopbackPorts } from "../../src/state/ports.ts";

test("a block with a port in use is passed over", async () => {
    const taken = await freeLoopbackPorts(3);
    const block = (taken - 20_000) / 20;
    const server = createServer().listen(taken + 2, "127.0.0.1");
    await once(server, "listening");
    try {
        const answers = [block, block, block + (block < 599 ? 1 : -1)];
        const next = await freeLoopbackPorts(3, () => answers.shift() ?? 0);
        assert.notEqual(next, taken);
        assert.equal((next - 20_000) % 20, 0);
        await assert.rejects(
            freeLoopbackPorts(3, () => block),
            (error) => error instanceof DependencyError && error.code === "STATE_NO_PORTS",
        );
    } finally {
        server.close();
    }
});
