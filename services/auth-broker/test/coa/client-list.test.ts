import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientList } from "../../src/coa/client-list.ts";

test("the first entry that contains an address gives the secret; nobody else has one", () => {
    const [one, net, six] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)];
    const clients = new ClientList([
        { source: "192.0.2.7/32", secret: one },
        { source: "192.0.2.0/24", secret: net },
        { source: "2001:db8:1::/48", secret: six },
    ]);
    assert.equal(clients.secretOf("192.0.2.7"), one);
    assert.equal(clients.secretOf("192.0.2.8"), net);
    assert.equal(clients.secretOf("2001:db8:1::9"), six);
    for (const stranger of ["192.0.3.7", "2001:db8:2::9", "::1", "127.0.0.1"])
        assert.equal(clients.secretOf(stranger), undefined);
});
