// What is counted of LDAP backends.
import type { Metrics } from "@postern/telemetry";

export interface LdapMetrics {
    /** A directory decided: `accept`, or the reason of the refusal. */
    readonly decided: (backend: string, outcome: string) => void;
    readonly server: (backend: string, server: string, alive: boolean) => void;
}

export function createLdapMetrics(metrics: Metrics): LdapMetrics {
    const decisions = metrics.counter({
        name: "ldap_decisions_total",
        help: "Logins that an LDAP directory decided about: accept, or the reason of the refusal.",
        labels: ["backend", "outcome"],
    });
    const servers = metrics.gauge({
        name: "ldap_server_alive",
        help: "1 while an LDAP server serves, 0 while it is passed over.",
        labels: ["backend", "server"],
    });
    return {
        decided: (backend, outcome) => decisions.add(1, { backend, outcome }),
        server: (backend, server, alive) => servers.set(alive ? 1 : 0, { backend, server }),
    };
}
