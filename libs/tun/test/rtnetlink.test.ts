import assert from "node:assert/strict";
import { test } from "node:test";
import { DependencyError } from "@postern/errors";
import { parseCidr } from "@postern/ip";
import { Rtnetlink } from "../src/rtnetlink.ts";

const LINK = { index: 7, name: "pst0" };
const ADDRESS = parseCidr("10.91.0.5");
const EPERM = -1;
const ESRCH = -3;
const EAFNOSUPPORT = -97;

const answering = (errno: number): Rtnetlink => new Rtnetlink(() => errno, LINK);

test("every refusal names the interface, the operation and the way out", () => {
    const operations: readonly (readonly [string, (netlink: Rtnetlink) => void])[] = [
        ["switching off automatic IPv6 addresses", (netlink) => netlink.disableAutomaticIpv6()],
        ["setting up with MTU 1400 and a queue of 1000 packets", (netlink) => netlink.bringUp(1400, 1000)],
        ["adding address 10.91.0.5/32", (netlink) => netlink.addAddress(ADDRESS)],
        ["deleting address 10.91.0.5/32", (netlink) => netlink.deleteAddress(ADDRESS)],
        ["adding route 10.91.0.5/32", (netlink) => netlink.setRoute(ADDRESS, 84)],
        ["deleting route 10.91.0.5/32", (netlink) => netlink.deleteRoute(ADDRESS, 84)],
    ];
    for (const [operation, perform] of operations) {
        perform(answering(0));
        assert.throws(
            () => perform(answering(EPERM)),
            (error) =>
                error instanceof DependencyError &&
                error.message.startsWith(
                    `TUN_NETLINK_FAILED: pst0: ${operation}: EPERM; the process needs CAP_NET_ADMIN`,
                ),
        );
    }
});

test("what is in the desired state already is no error", () => {
    answering(ESRCH).deleteRoute(ADDRESS, 84);
    answering(EAFNOSUPPORT).disableAutomaticIpv6();
    assert.throws(() => answering(ESRCH).setRoute(ADDRESS, 84), DependencyError);
    assert.throws(() => answering(EAFNOSUPPORT).bringUp(1400, 1), DependencyError);
});

test("requests are for this interface, a route's MTU among them only where it is asked for", () => {
    const requests: Buffer[] = [];
    const record = (message: Uint8Array): number => {
        requests.push(Buffer.from(message));
        return 0;
    };
    const netlink = new Rtnetlink(record, LINK);
    netlink.setRoute(ADDRESS, 84, 1280);
    netlink.setRoute(ADDRESS, 84);
    netlink.setRoute(parseCidr("fd91::/64"), 84);
    const [withMtu, without, ipv6] = requests;
    assert.equal(withMtu?.subarray(44).toString("hex"), "0c0008000800020000050000");
    assert.equal(without?.length, 44);
    // Family, prefix length; table, protocol, scope and type.
    assert.equal(ipv6?.subarray(16, 24).toString("hex"), "0a400000fe540001");
});
