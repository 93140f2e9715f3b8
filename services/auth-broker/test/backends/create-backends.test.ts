import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "@postern/config";
import { ConfigError } from "@postern/errors";
import { rejection, type AuthBackend } from "../../src/auth-backend.ts";
import { createBackends } from "../../src/backends/create-backends.ts";

const backendOf = (name: string): AuthBackend => ({
    name,
    authenticate: () => Promise.resolve(rejection("unknown-user", "nobody is known here")),
    readiness: () => undefined,
});
const SERVER = "{ address: 192.0.2.1:1812, secretFile: hq.secret }";
const { backends: TWO } = parseConfig(
    `name: vpn.example
auth-broker:
  backends: { hq: { kind: radius, servers: [${SERVER}] }, branch: { kind: radius, servers: [${SERVER}] } }
`,
    "/postern.yaml",
)["auth-broker"];

test("every configured backend is there under its name, beside the local users, and is closed once", async () => {
    const stopped: string[] = [];
    const open = (name: string) => {
        const stop = () => Promise.resolve(void stopped.push(name));
        return Promise.resolve({ ...backendOf(name), stop });
    };
    const backends = await createBackends(TWO, backendOf("local"), open);
    const names = [...backends.byName].map(([name, backend]) => [name, backend.name]);
    assert.deepEqual(names, [
        ["local", "local"],
        ["hq", "hq"],
        ["branch", "branch"],
    ]);
    await backends.stop();
    assert.deepEqual(stopped, ["hq", "branch"]);
});

test("one that cannot be opened ends the start, and leaves none open", async () => {
    const stopped: string[] = [];
    const open = (name: string) => {
        if (name === "branch") return Promise.reject(new ConfigError("CONFIG_INVALID", "no secret"));
        const stop = () => Promise.resolve(void stopped.push(name));
        return Promise.resolve({ ...backendOf(name), stop });
    };
    await assert.rejects(createBackends(TWO, backendOf("local"), open), ConfigError);
    assert.deepEqual(stopped, ["hq"]);
});
