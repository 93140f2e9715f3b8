// The load client as a process: whoever started it sees by its end that something is wrong.
import assert from "node:assert/strict";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { createCertificateAuthority, inOwnNamespace, spawnBound } from "@postern/testkit";
import { PASSWORD, ScriptedServer } from "../../../libs/sstp-client/test/scripted-server.ts";

const PROGRAM = fileURLToPath(new URL("../../client/main.ts", import.meta.url));
const TIMEOUT = 60_000;

type Client = ChildProcessByStdio<Writable, Readable, Readable>;

function startClient({ port }: ScriptedServer, sessions: number): Client {
    const args = [PROGRAM, "--server", `127.0.0.1:${port}`, "--user", "alice", "--insecure"];
    const child = spawnBound(process.execPath, [...args, "--sessions", String(sessions)]) as Client; // all three are pipes
    child.stdin.end(`${PASSWORD}\n`);
    return child;
}

/** Its exit status, and what it complained of. */
async function endOf(child: Client): Promise<[status: unknown, complaint: string]> {
    const complaint = text(child.stderr);
    try {
        const [status] = await once(child, "exit", { signal: AbortSignal.timeout(TIMEOUT) });
        return [status, await complaint];
    } finally {
        child.kill("SIGKILL");
    }
}

const authority = await createCertificateAuthority();
const certificate = await authority.issue({ names: ["127.0.0.1"] });

inOwnNamespace(import.meta.filename, () => {
    test("it ends with the first of its sessions that does", async (context) => {
        const server = await ScriptedServer.start({ certificate });
        context.after(() => server.close());
        const child = startClient(server, 2);
        const end = endOf(child);
        await once(child.stdout, "data");
        server.last.close();
        const [status, complaint] = await end;
        assert.equal(status, 1);
        assert.match(complaint, /: a session ended: server-closed/);
    });

    test("it ends when one of its sessions does not open", async (context) => {
        let asked = 0;
        const server: ScriptedServer = await ScriptedServer.start({
            certificate,
            authenticating: async () => {
                asked += 1;
                if (asked === 1) server.last.tls.destroy();
            },
        });
        context.after(() => server.close());
        const [status, complaint] = await endOf(startClient(server, 2));
        assert.equal(status, 1);
        assert.notEqual(complaint, "");
    });
});
