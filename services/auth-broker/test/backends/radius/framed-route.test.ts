import assert from "node:assert/strict";
import { test } from "node:test";
import { RadiusError } from "@postern/radius";
import { framedRoute } from "../../../src/backends/radius/framed-route.ts";

for (const [text, network] of [
    ["10.0.0.0/8 192.0.2.1 1", "10.0.0.0/8"],
    ["192.168.128.0/17 0.0.0.0", "192.168.128.0/17"],
    ["198.51.100.7/32 192.0.2.1 1 2 -", undefined],
    ["198.51.100.7/32 192.0.2.1 1 2 3", "198.51.100.7/32"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["10.0.0.0 192.0.2.1 1", "10.0.0.0/8"],
    ["172.16.0.0 192.0.2.1 1", "172.16.0.0/16"],
    ["192.168.1.0 192.0.2.1 1", "192.168.1.0/24"],
    ["10.0.0.1/8 192.0.2.1 1", undefined],
    ["10.0.0.0/33 192.0.2.1 1", undefined],
    ["10.0.0.0/8 gateway 1", undefined],
    ["10.0.0.0/8 192.0.2.300 1", undefined],
    ["10.0.0.0/8,10.1.0.0/16", undefined],
    ["2001:db8::/32 fe80::1 1", undefined],
    ["", undefined],
] as const) {
    test(`${JSON.stringify(text)} is ${network ?? "refused"}`, () => {
        if (network === undefined) assert.throws(() => framedRoute(text), RadiusError);
        else assert.equal(framedRoute(text), network);
    });
}
