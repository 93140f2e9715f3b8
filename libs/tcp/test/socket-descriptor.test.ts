import assert from "node:assert/strict";
import { once } from "node:events";
import { Socket } from "node:net";
import { test } from "node:test";
import { TLSSocket } from "node:tls";
import { descriptorOf } from "../src/socket-descriptor.ts";
import { connectLoopback } from "./loopback.ts";

test("an open socket has a descriptor, one that is not open or closed has none", async () => {
    assert.equal(descriptorOf(new Socket()), undefined);
    using pair = await connectLoopback();
    const [near, far] = [descriptorOf(pair.near), descriptorOf(pair.far)];
    assert.ok(near !== undefined && far !== undefined && near !== far);
    pair.near.destroy();
    assert.equal(descriptorOf(pair.near), undefined);
    await once(pair.near, "close");
    assert.equal(descriptorOf(pair.near), undefined);
    using next = await connectLoopback();
    assert.ok([next.near, next.far].some((socket) => descriptorOf(socket) === near));
    assert.equal(descriptorOf(pair.near), undefined, "its number has another owner by now");
});

test("TLS has none, the socket below it has, as long as it is open", async () => {
    using pair = await connectLoopback();
    const descriptor = descriptorOf(pair.far);
    const tls = new TLSSocket(pair.far, { isServer: true });
    tls.on("error", () => undefined);
    assert.equal(descriptorOf(tls), undefined);
    assert.equal(descriptorOf(pair.far), descriptor);
    tls.destroy();
    assert.equal(descriptorOf(pair.far), undefined);
});
