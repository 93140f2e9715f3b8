import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { applyBus, connectBus, type Bus } from "@postern/bus";
import type { CloudEvent } from "@postern/contracts";
import {
    createTemporaryDirectory,
    eventually,
    type NatsServer,
    silentLog,
    spawnBound,
    startNatsServer,
    type TemporaryDirectory,
} from "@postern/testkit";

const PROBE = fileURLToPath(new URL("./probe-service.ts", import.meta.url));

let nats: NatsServer;
let bus: Bus;
let directory: TemporaryDirectory;
let config: string;

before(async () => {
    [nats, directory] = await Promise.all([startNatsServer(), createTemporaryDirectory()]);
    bus = await connectBus({ servers: [nats.url], instance: "admin", tenant: "main", log: silentLog });
    const size = 64 * 2 ** 20;
    await applyBus(bus, { replicas: 1, eventsMaxAge: 86_400_000, eventsMaxBytes: size, workerTtl: 10_000 });
    config = join(directory.path, "postern.yaml");
    await writeFile(config, configuration());
});
after(async () => {
    await bus.close();
    await nats[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
});

const configuration = (more = ""): string => `
name: gw.example.com
nats: { servers: ["${nats.url}"] }
ingress: { admin: 127.0.0.1:0, stopWithin: 1s }
${more}`;

interface Line {
    readonly level: string;
    readonly msg: string;
    readonly [field: string]: unknown;
}

/** Runs the probe service; its log lines are kept. */
function run(behaviour: string, { file = config, channel = false } = {}) {
    const lines: Line[] = [];
    let errors = "";
    const child = spawnBound(process.execPath, [PROBE, "--config", file, "--instance", `i-${behaviour}`], {
        env: { ...process.env, PROBE: behaviour },
        stdio: ["ignore", "pipe", "pipe", ...(channel ? (["ipc"] as const) : [])],
    });
    let rest = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        const parts = (rest + text).split("\n");
        rest = parts.pop() ?? "";
        lines.push(...parts.map((part) => JSON.parse(part) as Line)); // its log is JSON lines
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (errors += text));
    const ended = once(child, "exit").then(([status]: unknown[]) => status);
    const logged = (msg: string): Promise<Line> =>
        eventually(
            () => {
                const line = lines.find((one) => one.msg === msg);
                assert.ok(line, `${msg}: ${lines.map((one) => one.msg).join("; ")} ${errors}`);
                return line;
            },
            { within: 20_000 },
        );
    return { child, lines, ended, logged, errors: () => errors };
}

test("a service becomes ready, is told why it stops, and ends with 0", async () => {
    const { child, ended, logged, lines } = run("plain");
    const ready = await logged("ready");
    assert.equal((await fetch(`${String(ready["admin"])}/readyz`)).status, 200);
    const exposed = await (await fetch(`${String(ready["admin"])}/metrics`)).text();
    assert.match(exposed, /^postern_ingress_bus_connected\{instance="i-plain"\} 1$/m);
    assert.match(exposed, /^postern_ingress_outbox_waiting_events\{instance="i-plain"\} 0$/m);
    assert.equal((await logged("probe started"))["stopWithin"], 1_000);
    child.kill("SIGTERM");
    assert.equal(await ended, 0);
    assert.equal((await logged("probe stopping"))["reason"], "SIGTERM");
    await eventually(() => assert.equal(lines.at(-1)?.msg, "stopped"));
});

test("readiness is the service's own word once it has started", async () => {
    const { child, ended, logged } = run("busy");
    const answer = await fetch(`${String((await logged("ready"))["admin"])}/readyz`);
    assert.deepEqual([answer.status, await answer.json()], [503, { status: "not ready", reason: "busy" }]);
    child.kill("SIGINT");
    assert.equal(await ended, 0);
});

test("the end of the launcher is a request to stop", async () => {
    const { child, ended, logged } = run("orphan", { channel: true });
    await logged("ready");
    child.disconnect();
    assert.equal((await logged("probe stopping"))["reason"], "launcher gone");
    assert.equal(await ended, 0);
});

test("a service that cannot start, or is hit by what nobody handles, says so and ends with 1", async () => {
    const failing = run("fail");
    assert.equal(await failing.ended, 1);
    assert.match(JSON.stringify(await failing.logged("the service cannot start")), /cannot start.*TypeError/);
    const crashing = run("crash");
    assert.equal(await crashing.ended, 1);
    const fatal = await crashing.logged("a failure that nobody handled: the process ends");
    assert.equal(fatal.level, "fatal");
    assert.match(JSON.stringify(fatal), /nobody handles this/);
});

test("a stop while starting ends the service; a stop that takes too long ends the process", async () => {
    const starting = run("never-starts");
    await eventually(() => assert.ok(starting.lines.some(({ msg }) => msg === "connected to NATS")), {
        within: 20_000,
    });
    starting.child.kill("SIGTERM");
    assert.equal(await starting.ended, 0);

    const stubborn = run("never-stops");
    await stubborn.logged("ready");
    stubborn.child.kill("SIGTERM");
    assert.equal(await stubborn.ended, 1);
    await stubborn.logged("the stop took too long: the process ends anyway");
});

test("a second signal ends the process at once", async () => {
    const { child, ended, logged } = run("never-stops");
    await logged("ready");
    child.kill("SIGTERM");
    await logged("probe stopping");
    child.kill("SIGTERM");
    assert.equal(await ended, 130);
});

test("a configuration with problems ends the process with 78 and a line for each", async () => {
    const file = join(directory.path, "broken.yaml");
    await writeFile(file, configuration("bus: { replicas: 9 }\ncolour: red\n"));
    const { ended, errors } = run("broken", { file });
    assert.equal(await ended, 78);
    await eventually(() => assert.match(errors(), /^ingress: CONFIG_INVALID: 2 problems$/m));
    assert.match(errors(), /broken\.yaml:5:8: bus\.replicas: /);
    assert.match(errors(), /broken\.yaml:6:1: colour: unknown key/);
});

test("durable facts reach the stream with source, epoch and sequence; the others without", async () => {
    const seen: CloudEvent[] = [];
    const tail = await bus.tail(bus.subjects.eventFilter(), { from: "now" }, (event) => seen.push(event));
    const { child, ended, logged } = run("events");
    const started = await logged("probe started");
    const found = await eventually(() => {
        const [durable, passing] = ["postern.admin.action.v1", "postern.connection.opened.v1"].map((type) =>
            seen.find((event) => event.type === type),
        );
        assert.ok(durable && passing);
        return { durable, passing };
    });
    assert.equal(found.durable.source, "postern/main/ingress/i-events");
    assert.deepEqual([found.durable.epoch, found.durable.sequence], [started["epoch"], 1]);
    assert.deepEqual(found.durable.data, { action: "probe", target: "probe", by: "test" });
    assert.equal(found.passing.source, found.durable.source);
    assert.equal(found.passing.sequence, undefined);
    child.kill("SIGTERM");
    assert.equal(await ended, 0);
    await tail.stop();
});
