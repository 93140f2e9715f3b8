import assert from "node:assert/strict";
import { test } from "node:test";
import { tunAvailability, type HostFacts } from "@postern/tun";

const usable: HostFacts = {
    platform: "linux",
    isAddonBuilt: true,
    device: "usable",
    status: "Name:\tnode\nCapPrm:\t0000000000000000\nCapEff:\t0000000000001000\nCapBnd:\t0000000000000000\n",
};

test("everything there means available", () => {
    assert.deepEqual(tunAvailability(usable), { kind: "available" });
    assert.deepEqual(tunAvailability({ ...usable, status: "CapEff:\t000001ffffffffff\n" }), { kind: "available" });
});

test("whatever is missing is named", () => {
    const obstacles: readonly (readonly [Partial<HostFacts>, RegExp])[] = [
        [{ platform: "darwin" }, /need Linux, and this is darwin/],
        [{ isAddonBuilt: false }, /addon is not built: run `make/],
        [{ device: "missing" }, /\/dev\/net\/tun is missing/],
        [{ device: "forbidden" }, /\/dev\/net\/tun may not be opened/],
        [{ status: "CapEff:\t0000000000000000\n" }, /lacks CAP_NET_ADMIN/],
        [{ status: "CapEff:\t000001ffffffefff\n" }, /lacks CAP_NET_ADMIN/],
        [{ status: "CapPrm:\t0000000000001000\n" }, /lacks CAP_NET_ADMIN/],
    ];
    for (const [change, expected] of obstacles) {
        const availability = tunAvailability({ ...usable, ...change });
        assert.ok(availability.kind === "unavailable");
        assert.match(availability.reason, expected);
    }
});

test("the host that the tests run on has what they need", () => {
    assert.deepEqual(tunAvailability(), { kind: "available" });
});
