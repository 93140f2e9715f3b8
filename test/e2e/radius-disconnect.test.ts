// A RADIUS client ends a session of a whole installation, whichever broker it asks.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { isMap, parseDocument } from "yaml";
import { Installation } from "./installation.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
/** Of the first broker; the others follow. */
const FIRST_PORT = 13_799;
/** Milliseconds from the request to the event. */
const DEADLINE = 3_000;

let ports: number[] = [];

function configure(yaml: string, state: string): string {
    const secretFile = path.join(state, "nac.secret");
    writeFileSync(secretFile, randomBytes(16).toString("hex"), { mode: 0o600 });
    const document = parseDocument(yaml);
    const brokers = document.getIn(["auth-broker", "instances"]);
    assert.ok(isMap(brokers));
    const names = brokers.items.map(({ key }) => String(key));
    ports = names.map((_name, at) => FIRST_PORT + at);
    const clients = [{ source: "127.0.0.1/32", secretFile }];
    for (const [at, name] of names.entries())
        document.setIn(["auth-broker", "instances", name, "dynamicAuthorization"], {
            listen: [`127.0.0.1:${ports[at]}`],
            clients,
        });
    return document.toString({ lineWidth: 0 });
}

test("radclient ends the session that it names, and no other, at each broker", async () => {
    const radclient = path.join(
        execFileSync(path.join(ROOT, "tools/install-freeradius.sh"), { encoding: "utf8" }).trim(),
        "bin/radclient",
    );
    await using postern = await Installation.start({ port: 14_461, configure });
    await using events = await postern.watchEvents();
    const disconnect = async (port: number, session: string): Promise<string> => {
        const { promise, resolve } = Promise.withResolvers<string>();
        const options = ["-x", "-t", "3", "-r", "1", "-S", path.join(postern.state, "nac.secret")];
        const child = execFile(radclient, [...options, `127.0.0.1:${port}`, "disconnect"], (_error, out, err) =>
            resolve(out + err),
        );
        child.stdin?.end(
            `Acct-Session-Id = "${session}", Event-Timestamp = ${Math.floor(Date.now() / 1_000)}, Proxy-State = 0x2a\n`,
        );
        return promise;
    };
    assert.equal(ports.length, 2);
    await postern.dial();
    const rows = (): Promise<{ readonly session: string }[]> => postern.query("sessions");
    const [other] = await rows();
    for (const port of ports) {
        const client = await postern.dial();
        const meant = (await rows()).find(({ session }) => session !== other?.session);
        assert.ok(meant !== undefined && other !== undefined);
        const began = performance.now();
        assert.match(await disconnect(port, meant.session), /Received Disconnect-ACK[^]*Proxy-State = 0x2a/);
        await client.closed;
        await events.find("session.ended", { session: meant.session, reason: "radius-disconnect" });
        assert.ok(performance.now() - began < DEADLINE);
        assert.deepEqual(
            (await rows()).map(({ session }) => session),
            [other.session],
        );
        assert.match(await disconnect(port, meant.session), /Received Disconnect-NAK[^]*Session-Context-Not-Found/);
    }
});
