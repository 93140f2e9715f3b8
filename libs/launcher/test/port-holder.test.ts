import assert from "node:assert/strict";
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
