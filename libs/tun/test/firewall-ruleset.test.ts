import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConfigError } from "@postern/errors";
import { parseCidr } from "@postern/ip";
import { firewallRuleset, tableName, type FirewallOptions } from "@postern/tun";

const options: FirewallOptions = {
    owner: "worker-1",
    pools: ["10.91.0.0/16", "fd91::/48", "10.92.0.0/24"].map(parseCidr),
    interfacePrefix: "pst",
    masquerade: true,
    clientToClient: false,
};

test("the rules of NAT mode", () => {
    assert.equal(
        firewallRuleset(options),
        `add table inet postern_worker-1
delete table inet postern_worker-1
table inet postern_worker-1 {
  set pools4 {
    type ipv4_addr; flags interval; auto-merge
    elements = { 10.91.0.0/16, 10.92.0.0/24 }
  }
  set pools6 {
    type ipv6_addr; flags interval; auto-merge
    elements = { fd91::/48 }
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "pst*" oifname "pst*" counter drop
    ip saddr @pools4 ip daddr @pools4 counter drop
    ip6 saddr @pools6 ip6 daddr @pools6 counter drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname != "pst*" ip saddr @pools4 ip daddr != @pools4 counter masquerade
    oifname != "pst*" ip6 saddr @pools6 ip6 daddr != @pools6 counter masquerade
  }
}
`,
    );
});

test("what is not asked for is not there", () => {
    const routed = firewallRuleset({ ...options, masquerade: false, clientToClient: true });
    assert.doesNotMatch(routed, /masquerade|drop|postrouting/);
    const ipv4Only = firewallRuleset({ ...options, pools: [parseCidr("10.91.0.0/16")] });
    assert.doesNotMatch(ipv4Only, /ip6|pools6/);
});

test("a name cannot bring commands with it", () => {
    for (const owner of ["", "a b", "a;b", "a\nb", 'a"', "a{", "ä", "x".repeat(65)]) {
        assert.throws(() => firewallRuleset({ ...options, owner }), ConfigError);
        assert.throws(() => firewallRuleset({ ...options, interfacePrefix: owner }), ConfigError);
    }
    fc.assert(
        fc.property(fc.string(), (owner) => {
            try {
                assert.match(tableName(owner), /^postern_[\w-]+$/);
            } catch (error) {
                assert.ok(error instanceof ConfigError);
            }
        }),
    );
});
