// An LDAP backend as the configuration makes it, and logins to give it.
import assert from "node:assert/strict";
import { after } from "node:test";
import { parseConfig } from "@postern/config";
import { GROUPS, KeptLog, PEOPLE, SERVICE_DN, type Slapd } from "@postern/testkit";
import type { AuthAttempt, Verdict } from "../../../src/auth-backend.ts";
import type { LdapBackend } from "../../../src/backends/ldap/ldap-backend.ts";
import { openLdapBackend } from "../../../src/backends/ldap/open-ldap-backend.ts";
import { systemClock } from "../../../src/clock.ts";

export const never = new AbortController().signal;

export interface LdapRig {
    readonly backend: LdapBackend;
    readonly log: KeptLog;
    readonly counted: string[];
}

/** `servers`: URLs; `home`: of one of them, or of one like them; `more`: further keys.  Stopped after the tests of the file. */
export async function ldapRig(
    servers: readonly string[],
    home: Pick<Slapd, "caFile" | "passwordFile">,
    more = "",
): Promise<LdapRig> {
    const { backends, names } = parseConfig(
        `name: vpn.example
auth-broker:
  names: { ownDomains: [CORP] }
  backends:
    directory:
      kind: ldap
      servers: [${servers.map((url) => JSON.stringify(url)).join(", ")}]
      caFile: ${home.caFile}
      serverName: directory.postern.test
      bindDn: ${SERVICE_DN}
      passwordFile: ${home.passwordFile}
      userBase: ${PEOPLE}
      groupBase: ${GROUPS}
      ${more}
`,
        "/postern.yaml",
    )["auth-broker"];
    const settings = backends["directory"];
    assert.ok(settings?.kind === "ldap");
    const [log, counted]: [KeptLog, string[]] = [new KeptLog(), []];
    const metrics = {
        decided: (_: string, outcome: string) => void counted.push(outcome),
        server: (_: string, server: string, alive: boolean) => void counted.push(`${server} ${alive}`),
    };
    const backend = await openLdapBackend("directory", settings, { clock: systemClock, log, metrics, names });
    after(() => backend.stop());
    return { backend, log, counted };
}

export const attempt = (identity: string, password: string): AuthAttempt => ({
    session: "s",
    attempt: 1,
    worker: "w1",
    client: { address: "192.0.2.1", port: 1 },
    identify: () => undefined,
    credentials: { method: "pap", identity, password: new TextEncoder().encode(password) },
});
export const login = ({ backend }: LdapRig, identity: string, password: string, signal = never): Promise<Verdict> =>
    backend.authenticate(attempt(identity, password), signal);
export const reasonOf = (verdict: Verdict): string => (verdict.outcome === "reject" ? verdict.reason : verdict.outcome);
