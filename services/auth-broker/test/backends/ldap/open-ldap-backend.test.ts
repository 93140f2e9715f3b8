// The flavour `active-directory` against a real domain controller: names, nested groups, and why accounts are refused.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parseConfig } from "@postern/config";
import {
    createTemporaryDirectory,
    inOwnNamespace,
    KeptLog,
    type SambaDomain,
    startSambaDomain,
} from "@postern/testkit";
import type { Verdict } from "../../../src/auth-backend.ts";
import { refusalOf } from "../../../src/auth-reply.ts";
import type { LdapBackend } from "../../../src/backends/ldap/ldap-backend.ts";
import { openLdapBackend } from "../../../src/backends/ldap/open-ldap-backend.ts";
import { systemClock } from "../../../src/clock.ts";

/** The domain wants characters of three kinds. */
const password = `${randomBytes(12).toString("hex")}-Aa1`;
const never = new AbortController().signal;

inOwnNamespace(import.meta.filename, () => {
    const resources = new AsyncDisposableStack();
    let domain: SambaDomain;
    let backend: LdapBackend;
    before(async () => {
        domain = resources.use(
            await startSambaDomain({
                users: [
                    { name: "Alice", password },
                    { name: "postern", password },
                    ...(["disabled", "expired", "must-change", "no-hours"] as const).map((state) => ({
                        name: state,
                        password,
                        state,
                    })),
                ],
                groups: [
                    { name: "staff", members: ["Alice"] },
                    { name: "vpn (all)", members: ["staff"] },
                    { name: "everybody", members: ["vpn (all)"] },
                    { name: "others", members: ["postern"] },
                ],
            }),
        );
        const directory = resources.use(await createTemporaryDirectory("domain-backend"));
        const passwordFile = join(directory.path, "service-password");
        await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
        const text = `name: vpn.example
auth-broker:
  names: { ownDomains: [CORP, corp.test] }
  backends:
    ad:
      kind: ldap
      flavour: active-directory
      servers: ["ldaps://127.0.0.1", "ldap://127.0.0.1"]
      caFile: ${domain.caFile}
      bindDn: CN=postern,CN=Users,${domain.base}
      passwordFile: ${passwordFile}
      userBase: ${domain.base}
`;
        const { backends, names } = parseConfig(text, "/postern.yaml")["auth-broker"];
        const settings = backends["ad"];
        assert.ok(settings?.kind === "ldap");
        const metrics = { decided: () => undefined, server: () => undefined };
        backend = await openLdapBackend("ad", settings, { clock: systemClock, log: new KeptLog(), metrics, names });
        resources.defer(() => backend.stop());
    });
    after(() => resources.disposeAsync());

    const login = (identity: string, typed = password): Promise<Verdict> =>
        backend.authenticate(
            {
                session: "s",
                attempt: 1,
                worker: "w1",
                client: { address: "192.0.2.1", port: 1 },
                identify: () => undefined,
                credentials: { method: "pap", identity, password: Buffer.from(typed) },
            },
            never,
        );

    test("the controller's certificate is verified, the name is its own, and groups are nested ones too", async () => {
        for (const claimed of ["alice", "CORP\\ALICE", "alice@corp.test"]) {
            const verdict = await login(claimed);
            assert.ok(verdict.outcome === "accept", JSON.stringify(verdict));
            assert.equal(verdict.principal, "alice");
            assert.deepEqual([...verdict.groups].sort(), ["everybody", "staff", "vpn (all)"]);
        }
    });

    for (const [who, typed, reason, error] of [
        ["alice", `${password}x`, "bad-credentials", 691],
        ["nobody", password, "unknown-user", 691],
        ["disabled", password, "account-disabled", 647],
        ["expired", password, "account-disabled", 647],
        ["must-change", password, "password-expired", 648],
        ["no-hours", password, "account-disabled", 646],
    ] as const) {
        test(`${who} with ${typed === password ? "the right" : "a wrong"} password: ${reason}, E=${error}`, async () => {
            const verdict = await login(who, typed);
            assert.ok(verdict.outcome === "reject", JSON.stringify(verdict));
            assert.equal(verdict.reason, reason, JSON.stringify(verdict));
            assert.equal(refusalOf(verdict)?.error, error, JSON.stringify(verdict));
        });
    }
});
