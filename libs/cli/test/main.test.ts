// The command as a process: options, exit statuses, what goes to which stream.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { registryBan } from "@postern/contracts";
import { createInstallation, type TestInstallation } from "./test-installation.ts";

const POSTERN = fileURLToPath(new URL("../../../bin/postern", import.meta.url));

let installation: TestInstallation;
before(async () => (installation = await createInstallation()));
after(() => installation[Symbol.asyncDispose]());

interface Run {
    readonly status: number;
    readonly out: string;
    readonly error: string;
}

function postern(args: readonly string[], { input = "", config = installation.config.file } = {}): Promise<Run> {
    const { promise, resolve } = Promise.withResolvers<Run>();
    const env = { ...process.env, POSTERN_CONFIG: config };
    const child = execFile(POSTERN, args, { env }, (error, out, err) =>
        resolve({ status: typeof error?.code === "number" ? error.code : 0, out, error: err }),
    );
    child.stdin?.end(input);
    return promise;
}

test("a user is added with a password from standard input, once", async () => {
    assert.deepEqual(await postern(["user", "add", "kim"], { input: "s3cret\n" }), {
        status: 0,
        out: "user kim added\n",
        error: "",
    });
    const again = await postern(["user", "add", "kim", "--json"], { input: "s3cret\n" });
    assert.equal(again.status, 4);
    assert.equal(again.out, "");
    const { error } = JSON.parse(again.error) as { error: { code: string } }; // the form that --json promises
    assert.equal(error.code, "CLI_ALREADY_THERE");
});

test("bus apply finds everything as it should be", async () => {
    const { status, out } = await postern(["bus", "apply", "--json"]);
    assert.equal(status, 0);
    const report = JSON.parse(out) as Record<"created" | "updated" | "unchanged", string[]>; // what applyBus reports
    assert.deepEqual([report.created, report.updated], [[], []]);
    assert.ok(report.unchanged.includes("KV_sessions"));
});

test("the command line is checked before anything is done", async () => {
    const wrong = [
        ["sesions"],
        ["disconnect"],
        ["disconnect", "session01", "--user", "kim"],
        ["drain"],
        ["drain", "w1", "--over", "soon"],
        ["user", "add"],
        ["user", "add", "a", "--max-sessions", "many"],
        ["workers", "--colour"],
    ];
    const check = async (args: readonly string[]): Promise<void> => {
        const { status, error } = await postern(args);
        assert.equal(status, 2, args.join(" "));
        assert.notEqual(error, "");
    };
    await Promise.all(wrong.map(check));
});

test("a list that is longer than a pipe holds comes whole, however slowly it is read", async () => {
    const { bus } = installation;
    const answering = await bus.answer(bus.subjects.registry.ban, registryBan, async () => ({
        bans: Array.from({ length: 3_000 }, (_, n) => ({
            source: `2001:db8::${n.toString(16)}`,
            reason: "a reason that somebody took the time to write down",
            by: "admin",
            since: "2026-01-01T00:00:00.000Z",
            until: "2026-01-02T00:00:00.000Z",
        })),
    }));
    // The shell's reader sleeps first, so that the command has ended its work long before it is read.
    const { stdout } = await promisify(execFile)("sh", ["-c", `"${POSTERN}" bans --json | (sleep 3; cat)`], {
        env: { ...process.env, POSTERN_CONFIG: installation.config.file },
        maxBuffer: 10_000_000,
    });
    await answering.stop();
    assert.equal((JSON.parse(stdout) as unknown[]).length, 3_000); // a list, as --json promises
});

test("a ban is added and lifted as the list prints its source", async () => {
    const { bus } = installation;
    const asked: string[] = [];
    const answering = await bus.answer(bus.subjects.registry.ban, registryBan, async (question) => {
        const source = question.action === "list" ? "" : question.source;
        asked.push(source);
        const since = new Date().toISOString();
        return { bans: [{ source, reason: "by hand", by: "ops", since, until: since }] };
    });
    const added = await postern(["bans", "add", "2001:db8::/64"]);
    const lifted = await postern(["bans", "lift", "2001:db8::/64"]);
    await answering.stop();
    assert.deepEqual([added.status, lifted.status], [0, 0]);
    assert.deepEqual(asked, ["2001:db8::", "2001:db8::"]);
    assert.equal(lifted.out, "2001:db8::/64 is no longer banned\n");
});

test("without an answer the service that should give it is said to be missing", async () => {
    const { status, error } = await postern(["sessions"]);
    assert.equal(status, 1);
    assert.match(error, /^postern: BUS_NO_RESPONDERS/);
    assert.match(error, /launcher's log/);
});

test("config check reports every problem, and a file that is not there says how to get one", async () => {
    assert.match((await postern(["config", "check"])).out, /is valid: gw\.example\.com/);
    const broken = join(installation.directory, "broken.yaml");
    await writeFile(broken, "name: gw.example.com\nbus: { replicas: 9 }\ncolour: red\n");
    const check = await postern(["--config", broken, "config", "check"]);
    assert.equal(check.status, 78);
    assert.deepEqual(
        check.out.split("\n").map((line) => line.slice(broken.length).split(" ", 2).join(" ")),
        [":2:8: bus.replicas:", ":3:1: colour:", ""],
    );
    const parsed: unknown = JSON.parse((await postern(["config", "check", "--json"], { config: broken })).out);
    assert.ok(typeof parsed === "object" && parsed !== null);
    assert.deepEqual(Object.keys(parsed), ["file", "valid", "problems"]);
    const missing = await postern(["workers"], { config: "/nonexistent/postern.yaml" });
    assert.equal(missing.status, 78);
    assert.match(missing.error, /make start/);
});

test("config schema is JSON Schema", async () => {
    const schema = JSON.parse((await postern(["config", "schema"])).out) as { properties: object }; // of JSON Schema
    assert.ok("session-worker" in schema.properties);
});

test("NATS that does not answer is said within seconds, with what to do", async () => {
    const elsewhere = join(installation.directory, "elsewhere.yaml");
    await writeFile(elsewhere, "name: gw.example.com\nnats: { servers: ['nats://127.0.0.1:1'] }\n");
    const { status, error } = await postern(["workers"], { config: elsewhere });
    assert.equal(status, 1);
    assert.match(error, /^postern: BUS_UNAVAILABLE: nats:\/\/127\.0\.0\.1:1: .*refused/);
    assert.match(error, /Is postern running\?/);
});
