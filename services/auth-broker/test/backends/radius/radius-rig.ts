// A RADIUS backend as the configuration makes it, and attempts to give it.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeUtf8 } from "@postern/bytes";
import { parseConfig } from "@postern/config";
import { answerMschapv2 } from "@postern/ppp";
import { createTemporaryDirectory, KeptLog } from "@postern/testkit";
import type { AttemptCredentials, AuthAttempt, Verdict } from "../../../src/auth-backend.ts";
import { openRadiusBackend } from "../../../src/backends/radius/open-radius-backend.ts";
import type { RadiusBackend } from "../../../src/backends/radius/radius-backend.ts";
import { digests } from "../../../src/digests.ts";

export interface RadiusRig extends AsyncDisposable {
    readonly backend: RadiusBackend;
    /** What was told of the servers. */
    readonly told: readonly string[];
}

/** `ports`: of servers on this host that share `secret`, the first one first; `more`: keys of the backend. */
export async function radiusRig(ports: readonly number[], secret: string, more = ""): Promise<RadiusRig> {
    await using made = new AsyncDisposableStack();
    const { path: directory } = made.use(await createTemporaryDirectory("radius-rig"));
    const secretFile = join(directory, "radius.secret");
    await writeFile(secretFile, `${secret}\n`, { mode: 0o600 });
    const servers = ports.map(
        (port, priority) => `{ address: "127.0.0.1:${port}", secretFile: ${secretFile}, priority: ${priority} }`,
    );
    const backend = `{ kind: radius, servers: [${servers.join(", ")}] ${more === "" ? "" : `, ${more}`} }`;
    const yaml = `name: vpn.example\nauth-broker: { backends: { hq: ${backend} } }\n`;
    const { backends, names } = parseConfig(yaml, "/postern.yaml")["auth-broker"];
    const settings = backends["hq"];
    assert.ok(settings?.kind === "radius");
    const told: string[] = [];
    const observer = () => ({
        onRequest: () => undefined,
        onRetransmission: () => undefined,
        onReply: () => undefined,
        onIgnored: (_: string, reason: string) => void told.push(`ignored ${reason}`),
        onState: (server: string, state: string) => void told.push(`${server.split(":")[1]} ${state}`),
    });
    const lines = { add: () => undefined };
    const opened = await openRadiusBackend("hq", settings, { log: new KeptLog(), lines, radius: { observer }, names });
    made.defer(() => opened.stop());
    const resources = made.move();
    return { backend: opened, told, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** What a client sends who knows `password`. */
export function credentialsOf(
    method: "pap" | "chap" | "mschapv2",
    identity: string,
    password: string,
): AttemptCredentials {
    const [ident, challenge] = [7, randomBytes(16)];
    switch (method) {
        case "pap":
            return { method, identity, password: encodeUtf8(password) };
        case "chap": {
            const response = createHash("md5").update(Uint8Array.of(ident)).update(password).update(challenge).digest();
            return { method, identity, ident, challenge, response };
        }
        case "mschapv2": {
            const { response } = answerMschapv2(
                digests,
                (size) => randomBytes(size),
                { user: identity, password },
                challenge,
            );
            return { method, identity, ident, challenge, response };
        }
    }
}

export function login(
    { backend }: RadiusRig,
    credentials: AttemptCredentials,
    signal = new AbortController().signal,
): Promise<Verdict> {
    const attempt: AuthAttempt = {
        session: "abcdefgh",
        attempt: 1,
        worker: "w1",
        client: { address: "192.0.2.1", port: 1 },
        identify: () => undefined,
        credentials,
    };
    return backend.authenticate(attempt, signal);
}
