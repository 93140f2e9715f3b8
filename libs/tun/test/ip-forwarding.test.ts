import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { DependencyError } from "@postern/errors";
import { enableForwarding, requireIpv6 } from "@postern/tun";

const root = mkdtempSync(path.join(tmpdir(), "forwarding-"));
after(() => rmSync(root, { recursive: true }));
mkdirSync(path.join(root, "ipv4"));
mkdirSync(path.join(root, "ipv6/conf/all"), { recursive: true });
const ipv4 = path.join(root, "ipv4/ip_forward");
const ipv6 = path.join(root, "ipv6/conf/all/forwarding");

test("the switch of the family that is asked for is turned on, and only that", () => {
    writeFileSync(ipv4, "0\n");
    writeFileSync(ipv6, "0\n");
    enableForwarding("ipv6", root);
    assert.deepEqual([readFileSync(ipv4, "utf8"), readFileSync(ipv6, "utf8")], ["0\n", "1\n"]);
    enableForwarding("ipv4", root);
    assert.equal(readFileSync(ipv4, "utf8"), "1\n");
});

test("a host that takes its routes from router advertisements goes on with that", () => {
    const settings = { default: "1", eth0: "1", eth1: "0", eth2: "2", all: "1" };
    const fileOf = (name: string): string => path.join(root, "ipv6/conf", name, "accept_ra");
    for (const [name, setting] of Object.entries(settings)) {
        mkdirSync(path.join(root, "ipv6/conf", name), { recursive: true });
        writeFileSync(fileOf(name), `${setting}\n`);
    }
    // Gone while the others are looked at, or without the setting.
    mkdirSync(path.join(root, "ipv6/conf/gone0"));
    writeFileSync(ipv6, "0\n");
    enableForwarding("ipv6", root);
    const now = Object.keys(settings).map((name) => readFileSync(fileOf(name), "utf8").trim());
    assert.deepEqual(now, ["2", "2", "0", "2", "1"]);
    writeFileSync(fileOf("eth0"), "1\n");
    enableForwarding("ipv6", root);
    assert.equal(readFileSync(fileOf("eth0"), "utf8"), "1\n", "a router already: what there is was meant");
});

test("a host has IPv6 where new interfaces do", () => {
    const refusal = (reason: RegExp): void =>
        assert.throws(
            () => requireIpv6(root),
            (error) => error instanceof DependencyError && reason.test(error.message),
        );
    refusal(/the kernel has no IPv6/);
    const file = path.join(root, "ipv6/conf/default/disable_ipv6");
    writeFileSync(file, "1\n");
    refusal(/disable_ipv6/);
    writeFileSync(file, "0\n");
    requireIpv6(root);
});

test("a switch that is on is not written to: a container may not be allowed to", () => {
    writeFileSync(ipv4, "1\n");
    chmodSync(ipv4, 0o444);
    const before = statSync(ipv4, { bigint: true }).mtimeNs;
    enableForwarding("ipv4", root);
    assert.equal(statSync(ipv4, { bigint: true }).mtimeNs, before);
});

test("an error names the setting to make", () => {
    rmSync(ipv6);
    assert.throws(
        () => enableForwarding("ipv6", root),
        (error) =>
            error instanceof DependencyError && error.message.includes("sysctl -w net.ipv6.conf.all.forwarding=1"),
    );
});
