import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { loadConfig } from "@postern/config";
import { SERVICES } from "@postern/contracts";
import { createTemporaryDirectory } from "@postern/testkit";
import { stateLayout } from "../../src/state/layout.ts";
import { prepareState, type Installation, type Wishes } from "../../src/state/prepare.ts";

const wishes: Wishes = { port: 14_443, name: "gw.example.com" };

async function prepare(path: string, wanted: Wishes = wishes): Promise<{ made: Installation; said: string[] }> {
    const said: string[] = [];
    const made = await prepareState(stateLayout(path), wanted, (message) => said.push(message));
    return { made, said };
}

async function contents(path: string): Promise<Map<string, string>> {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return new Map(await Promise.all(files.map(async (file) => [file, await readFile(file, "utf8")] as const)));
}

test("an empty directory becomes an installation that every one of its instances can load", async () => {
    await using directory = await createTemporaryDirectory();
    const { made } = await prepare(directory.path);
    const { config } = made;
    assert.equal(config.name, "gw.example.com");
    assert.equal(config.ingress.listen[0]?.port, 14_443);
    const adminPorts = new Set<number>();
    for (const service of SERVICES) {
        assert.equal(config.instances[service].length, 2, service);
        for (const instance of config.instances[service]) {
            const own = loadConfig(config.file, { service, instance });
            adminPorts.add(own[service].admin.port);
            assert.ok((await stat(own.nats.seed ?? "")).isFile());
        }
    }
    assert.equal(adminPorts.size, 10);
    const workers = config.instances["session-worker"].map(
        (instance) => loadConfig(config.file, { service: "session-worker", instance })["session-worker"],
    );
    assert.equal(new Set(workers.map(({ listen }) => listen.port)).size, 2);
    assert.equal(new Set(workers.map(({ uplink }) => uplink.device)).size, 2);
    const { prefix = "" } = config["session-registry"].pools["default"]?.ipv6 ?? {};
    assert.match(prefix, /^fd[0-9a-f]{2}:[0-9a-f]{1,4}:[0-9a-f]{1,4}::\/48$/, "RFC 4193: chosen by chance");
    for (const { uplink } of workers) {
        assert.deepEqual(uplink.ipv6, { gateway: prefix.replace("/48", "1"), pools: [prefix] });
    }
});

test("what is secret is readable by its owner alone", async () => {
    await using directory = await createTemporaryDirectory();
    await prepare(directory.path);
    const open = ["postern.yaml", "ca.pem", "server-rsa.pem", "server-ecdsa.pem", "seal.pub"];
    for (const file of (await contents(directory.path)).keys()) {
        const mode = (await stat(file)).mode & 0o777;
        assert.equal(mode, open.some((name) => file.endsWith(name)) ? 0o644 : 0o600, file);
    }
});

test("the server certificates name the host and come from the CA", async () => {
    await using directory = await createTemporaryDirectory();
    await prepare(directory.path);
    const read = async (name: string): Promise<X509Certificate> =>
        new X509Certificate(await readFile(join(directory.path, "pki", name), "utf8"));
    const ca = await read("ca.pem");
    for (const [name, type] of [
        ["server-rsa.pem", "rsa"],
        ["server-ecdsa.pem", "ec"],
    ] as const) {
        const certificate = await read(name);
        assert.equal(certificate.publicKey.asymmetricKeyType, type);
        assert.equal(certificate.checkHost("gw.example.com"), "gw.example.com");
        assert.equal(certificate.checkIP("127.0.0.1"), "127.0.0.1");
        assert.ok(certificate.verify(ca.publicKey));
    }
});

test("preparing again changes nothing but the permission table, which it writes alike", async () => {
    await using directory = await createTemporaryDirectory();
    const first = await prepare(directory.path);
    const before = await contents(directory.path);
    const second = await prepare(directory.path);
    assert.deepEqual(await contents(directory.path), before);
    assert.deepEqual(second.said, []);
    assert.deepEqual(second.made.user, first.made.user);
});

test("what is missing is made anew, and nothing else", async () => {
    await using directory = await createTemporaryDirectory();
    await prepare(directory.path);
    const before = await contents(directory.path);
    const lost = join(directory.path, "pki", "server-rsa.pem");
    await rm(lost);
    await prepare(directory.path);
    const after = await contents(directory.path);
    const changed = [...after].filter(([file, text]) => before.get(file) !== text).map(([file]) => file);
    assert.deepEqual(changed.toSorted(), [join(directory.path, "pki", "server-rsa.key"), lost]);
});

test("another port changes one value of postern.yaml and keeps the comments", async () => {
    await using directory = await createTemporaryDirectory();
    const { made } = await prepare(directory.path);
    const before = await readFile(made.config.file, "utf8");
    const { made: changed, said } = await prepare(directory.path, { port: 15_443, name: undefined });
    assert.equal(changed.config.ingress.listen[0]?.port, 15_443);
    assert.match(said.join(), /now .*:15443 \(was 14443\)/);
    const after = await readFile(made.config.file, "utf8");
    const comments = (text: string): number => text.split("\n").filter((line) => line.trim().startsWith("#")).length;
    assert.equal(comments(after), comments(before));
    const unasked = await prepare(directory.path, { port: undefined, name: undefined });
    assert.equal(unasked.made.config.ingress.listen[0]?.port, 15_443);
});

test("the permission table has a user for every instance, with keys of their own", async () => {
    await using directory = await createTemporaryDirectory();
    const { made } = await prepare(directory.path);
    const table = await readFile(join(directory.path, "nats", "authorization.conf"), "utf8");
    const keys = table.match(/nkey: U[A-Z2-7]{55}/g) ?? [];
    assert.equal(new Set(keys).size, 12);
    const configuration = await readFile(made.natsConfig, "utf8");
    assert.match(configuration, /include "authorization\.conf"/);
    assert.match(configuration, /sync_interval: always/);
    assert.ok(configuration.includes(`listen: "${new URL(made.config.nats.servers[0] ?? "").host}"`));
});
