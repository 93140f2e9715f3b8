import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { inOwnNamespace } from "@postern/testkit";
import { addSourceRoute, deleteSourceRule, type SourceRoute } from "../../client/source-route.ts";

const ip = (...args: readonly string[]): string => execFileSync("ip", args, { encoding: "utf8" });

inOwnNamespace(import.meta.filename, () => {
    test("each source has its own way to one destination", () => {
        const routes = [1, 2].map((number): SourceRoute => {
            const device = `t${number}`;
            ip("tuntap", "add", "dev", device, "mode", "tun");
            ip("address", "add", `10.0.0.${number}/32`, "dev", device);
            ip("link", "set", device, "up");
            return { source: `10.0.0.${number}`, destination: "10.9.9.9", device, table: 700 + number };
        });
        for (const command of routes.flatMap(addSourceRoute)) ip(...command);
        const way = (source: string): string => ip("route", "get", "10.9.9.9", "from", source);
        assert.match(way("10.0.0.1"), / dev t1 /);
        assert.match(way("10.0.0.2"), / dev t2 /);
        for (const route of routes) ip(...deleteSourceRule(route));
        assert.doesNotMatch(ip("rule", "show"), /10\.0\.0\./);
    });
});
