import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics } from "@postern/telemetry";
import { createLdapMetrics } from "../../../src/backends/ldap/ldap-metrics.ts";

test("decisions by outcome, and which server serves", async () => {
    const metrics = createMetrics({ service: "auth-broker", instance: "a1", processMetrics: false });
    const ldap = createLdapMetrics(metrics);
    ldap.decided("ad", "accept");
    ldap.decided("ad", "accept");
    ldap.server("ad", "dc1:636", true);
    ldap.server("ad", "dc2:636", false);
    const text = await metrics.expose();
    assert.match(text, /ldap_decisions_total\{[^}]*outcome="accept"[^}]*\} 2/u);
    assert.match(text, /ldap_server_alive\{[^}]*server="dc1:636"[^}]*\} 1/u);
    assert.match(text, /ldap_server_alive\{[^}]*server="dc2:636"[^}]*\} 0/u);
});
