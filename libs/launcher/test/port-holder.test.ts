import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { portHolder } from "../src/port-holder.ts";

for (const host of ["127.0.0.1", "::1"]) {
    test(`the holder of a port on ${host} is named with its pid`, async () => {
        const server = createServer().listen(0, host);
        await once(server, "listening");
        const address = server.address();
        assert.ok(typeof address === "object" && address !== null);
        try {
            assert.match((await portHolder(address.port)) ?? "", new RegExp(`\\(pid ${process.pid}\\)$`));
        } finally {
            server.close();
            await once(server, "close");
        }
        assert.equal(await portHolder(address.port), undefined);
    });
}

test("the holder is named by its script, not by the flags before it", async () => {
    const source =
        'const server = require("node:net").createServer();' +
        'server.listen(0, "127.0.0.1", () => console.log(server.address().port));';
    const child = spawn(process.execPath, ["--no-memory-reducer", "--eval", source]);
    try {
        const [port] = (await once(child.stdout, "data")) as [Buffer]; // `once` is untyped
        assert.equal(await portHolder(Number(port)), `node ${source} (pid ${child.pid})`);
    } finally {
        child.kill();
        await once(child, "close");
    }
});
