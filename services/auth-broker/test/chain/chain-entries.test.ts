import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "@postern/config";
import { InvariantError } from "@postern/errors";
import type { AuthBackend } from "../../src/auth-backend.ts";
import { chainEntries } from "../../src/chain/chain-entries.ts";

const backendOf = (name: string): AuthBackend => ({
    name,
    authenticate: () => Promise.reject(new InvariantError("not asked here")),
    readiness: () => undefined,
});
const chainOf = (yaml: string) => parseConfig(`name: vpn.example\n${yaml}`, "/postern.yaml")["auth-broker"].chain;

test("without a chain the local users decide about everybody", () => {
    const local = backendOf("local");
    const entries = chainEntries(chainOf(""), new Map([["local", local]]));
    assert.deepEqual(entries, [{ links: [{ backend: local, unreachable: "deny" }] }]);
});

test("names become backends, and what is not said is left out", () => {
    const [hq, local] = [backendOf("hq"), backendOf("local")];
    const server = "{ address: 192.0.2.1:1812, secretFile: hq.secret }";
    const chain = chainOf(`auth-broker:
  backends: { hq: { kind: radius, servers: [${server}] } }
  chain:
    - { realm: corp.example, backends: [{ use: hq, methods: [pap], unreachable: next }, { use: local }] }
    - { serverName: vpn2.example, backends: [{ use: local }] }
`);
    const backends = new Map([
        ["hq", hq],
        ["local", local],
    ]);
    assert.deepEqual(chainEntries(chain, backends), [
        {
            realm: "corp.example",
            links: [
                { backend: hq, methods: ["pap"], unreachable: "next" },
                { backend: local, unreachable: "deny" },
            ],
        },
        { serverName: "vpn2.example", links: [{ backend: local, unreachable: "deny" }] },
    ]);
    assert.throws(() => chainEntries(chain, new Map()), InvariantError);
});
