import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "@postern/errors";
import { loadConfig, parseConfig } from "../src/load-config.ts";
import { InvalidConfigError, type Problem } from "../src/problems.ts";

const FILE = "/etc/postern/postern.yaml";

function problemsOf(text: string): readonly Problem[] {
    try {
        parseConfig(text, FILE);
    } catch (error) {
        assert.ok(error instanceof InvalidConfigError);
        return error.problems;
    }
    return assert.fail("the configuration was accepted");
}

const places = (text: string): string[] => problemsOf(text).map(({ line, key }) => `${line} ${key}`);

test("one required key is enough: everything else has a default", () => {
    const config = parseConfig("name: vpn.example.com\n", FILE);
    assert.equal(config.name, "vpn.example.com");
    assert.equal(config.tenant, "main");
    assert.deepEqual(config.ingress.admin, { host: "127.0.0.1", port: 9101 });
    assert.deepEqual(config.instances.ingress, []);
    assert.equal(config.file, FILE);
});

test("all problems are reported together, each with its line, in the order of the file", () => {
    const text = [
        "name: vpn.example.com", // 1
        "tenannt: main", // 2
        "nats:", // 3
        "  servers:", // 4
        "    - nats://127.0.0.1:4222", // 5
        "    - http://127.0.0.1", // 6
        "bus:", // 7
        "  replicas: nine", // 8
        "ingress:", // 9
        "  stopWithin: 20", // 10
        "  lisen: 0.0.0.0:443", // 11
        "log: { level: loud }", // 12
    ].join("\n");
    assert.deepEqual(places(text), [
        "2 tenannt",
        "6 nats.servers.1",
        "8 bus.replicas",
        "10 ingress.stopWithin",
        "11 ingress.lisen",
        "12 log.level",
    ]);
    assert.throws(
        () => parseConfig(text, FILE),
        (error) => {
            assert.ok(error instanceof ConfigError);
            assert.equal(error.code, "CONFIG_INVALID");
            assert.match(error.message, /^CONFIG_INVALID: 6 problems$/m);
            assert.match(
                error.message,
                /^\/etc\/postern\/postern\.yaml:11:3: ingress\.lisen: unknown key; known here: admin, /m,
            );
            return true;
        },
    );
});

test("a missing key is reported at the place where it should be", () => {
    const [problem] = problemsOf("tenant: main\n");
    assert.deepEqual([problem?.line, problem?.key], [1, "name"]);
    assert.match(problem?.message ?? "", /^missing/);
});

test("an empty file lacks the same keys as an empty map", () => {
    assert.deepEqual(problemsOf(""), problemsOf("{}"));
});

test("what is no map is refused", () => {
    assert.equal(problemsOf("- a\n- b\n").length, 1);
    assert.equal(problemsOf("just words").length, 1);
});

test("syntax errors and repeated keys have their lines", () => {
    assert.deepEqual(
        problemsOf("name: a.example\nname: b.example\n").map(({ line }) => line),
        [2],
    );
    assert.equal(problemsOf("name: a.example\nnats: [\n").length > 0, true);
});

test("a document that multiplies itself through aliases is refused", () => {
    const levels = Array.from({ length: 9 }, (_, i) => `k${i + 1}: &k${i + 1} [${Array(9).fill(`*k${i}`).join(", ")}]`);
    const [problem] = problemsOf(["k0: &k0 [x]", ...levels].join("\n"));
    assert.match(problem?.message ?? "", /alias/i);
});

test("keys of one instance override its section; maps are merged, the rest is replaced", () => {
    const text = [
        "name: vpn.example.com",
        "ingress:",
        "  stopWithin: 40s",
        "  instances:",
        "    i1: { admin: 127.0.0.1:1001 }",
        "    i2: { admin: 127.0.0.1:1002, stopWithin: 50s }",
        "    i3:",
    ].join("\n");
    const admin = (instance: string): number =>
        parseConfig(text, FILE, { service: "ingress", instance }).ingress.admin.port;
    assert.deepEqual(["i1", "i2", "i3", "unlisted"].map(admin), [1001, 1002, 9101, 9101]);
    const second = parseConfig(text, FILE, { service: "ingress", instance: "i2" });
    assert.equal(second.ingress.stopWithin, 50_000);
    assert.deepEqual(second.instances.ingress, ["i1", "i2", "i3"]);
    assert.equal(parseConfig(text, FILE, { service: "auth-broker", instance: "i2" }).ingress.stopWithin, 40_000);
});

test("overrides are checked whoever reads the file, and only what they set is reported on them", () => {
    const text = [
        "name: vpn.example.com", // 1
        "audit-logger:", // 2
        "  stopWithin: soon", // 3
        "  instances:", // 4
        "    a1: { admin: nowhere }", // 5
        "    a2: { colour: red }", // 6
        "    A3: {}", // 7
        "    a4: [1]", // 8
    ].join("\n");
    assert.deepEqual(places(text), [
        "3 audit-logger.stopWithin",
        "5 audit-logger.instances.a1.admin",
        "6 audit-logger.instances.a2.colour",
        "7 audit-logger.instances.A3",
        "8 audit-logger.instances.a4",
    ]);
    assert.deepEqual(places("name: a.example\ningress:\n  instances: [i1]\n"), ["3 ingress.instances"]);
});

test("{instance} is the reader's id, {service} its service, in values and in defaults, and paths are relative to the file", () => {
    const text = "name: vpn.example.com\nnats:\n  seed: nats/{instance}.seed\n  ca: /etc/ssl/ca.pem\n";
    const config = parseConfig(text, FILE, { service: "ingress", instance: "i1" });
    assert.equal(config.nats.seed, "/etc/postern/nats/i1.seed");
    assert.equal(config.nats.ca, "/etc/ssl/ca.pem");
    assert.equal(config.outbox.directory, "/etc/postern/outbox/ingress/i1");
    assert.equal(parseConfig(text, FILE).nats.seed, "/etc/postern/nats/{instance}.seed");
});

test("an IPv6 pool has a /64 for each IPv4 address and the gateway", () => {
    const pool = (networks: string, prefix: string): string =>
        `name: a.example\nsession-registry:\n  pools:\n    default:\n      networks: [${networks}]\n      gateway: 10.91.0.1\n      ipv6: { prefix: "${prefix}" }\n`;
    const config = parseConfig(pool("10.91.0.0/16", "FD12:3456:789a:0::/48"), FILE);
    assert.deepEqual(config["session-registry"].pools["default"]?.ipv6, { prefix: "fd12:3456:789a::/48", dns: [] });
    const wrong: readonly (readonly [string, string, RegExp])[] = [
        ["10.91.0.0/16", "fd12:3456:789a::/49", /has room for 32767 sessions; `networks` has 65534 addresses/],
        ["10.91.0.0/28, 10.92.0.0/30", "fd12:3456:789a::/60", /room for 15 sessions; `networks` has 16/],
        ["10.91.0.0/28", "fd12:3456:789a::/61", /prefix length from 32 to 60/],
        ["10.91.0.0/28", "fd00::/31", /prefix length from 32 to 60/],
        ["10.91.0.0/28", "10.0.0.0/32", /prefix length from 32 to 60/],
        ["10.91.0.0/28", "fd12::1/48", /inside the block/],
    ];
    for (const [networks, prefix, message] of wrong) {
        assert.deepEqual(places(pool(networks, prefix)), ["7 session-registry.pools.default.ipv6.prefix"]);
        assert.throws(() => parseConfig(pool(networks, prefix), FILE), message);
    }
    parseConfig(pool("10.91.0.0/28", "fd12:3456:789a::/60"), FILE);
});

test("IPv6 takes an MTU of 1280", () => {
    const worker = (mtu: number): string =>
        `name: a.example\nsession-worker:\n  ppp: { mtu: ${mtu} }\n  uplink:\n    ipv6: { gateway: "fd00::1", pools: ["fd00::/48"] }\n`;
    assert.deepEqual(places(worker(1_279)), ["5 session-worker.uplink.ipv6"]);
    assert.throws(() => parseConfig(worker(1_279), FILE), /IPv6 takes ppp\.mtu of 1280 at least, and it is 1279/);
    parseConfig(worker(1_280), FILE);
});

test("the configuration is frozen all the way down", () => {
    const config = parseConfig("name: vpn.example.com\n", FILE);
    const isFrozen = (value: unknown): boolean =>
        typeof value !== "object" ||
        value === null ||
        (Object.isFrozen(value) && Object.values(value).every((child) => isFrozen(child)));
    assert.ok(isFrozen(config));
});

test("a file that is not there is a configuration error that names it", () => {
    assert.throws(
        () => loadConfig("/nonexistent/postern.yaml"),
        (error) => error instanceof ConfigError && error.message.includes("/nonexistent/postern.yaml"),
    );
});

test("who may change sessions by RADIUS must be named where it is listened for that", () => {
    const text = [
        "name: vpn.example.com", // 1
        "auth-broker:", // 2
        "  dynamicAuthorization:", // 3
        "    listen: [127.0.0.1:3799]", // 4
        "    clients: []", // 5
    ].join("\n");
    assert.deepEqual(places(text), ["5 auth-broker.dynamicAuthorization.clients"]);
    const whole = text.replace("[]", "[{ source: 10.0.0.5/32, secretFile: nac.secret }]");
    const { dynamicAuthorization } = parseConfig(whole, FILE)["auth-broker"];
    assert.equal(dynamicAuthorization.clients[0]?.secretFile, "/etc/postern/nac.secret");
    assert.equal(dynamicAuthorization.eventTimestamp.window, 300_000);
    assert.deepEqual(parseConfig("name: vpn.example.com", FILE)["auth-broker"].dynamicAuthorization.listen, []);
});

test("a chain uses backends that are there, and none of them is called local", () => {
    const server = "{ address: 192.0.2.1:1812, secretFile: hq.secret }";
    const backend = `{ kind: radius, servers: [${server}] }`;
    const text = [
        "name: vpn.example.com", // 1
        "auth-broker:", // 2
        "  backends:", // 3
        `    hq: ${backend}`, // 4
        `    local: ${backend}`, // 5
        "  chain:", // 6
        "    - backends:", // 7
        "        - { use: hq }", // 8
        "        - { use: h1 }", // 9
    ].join("\n");
    assert.deepEqual(places(text), ["5 auth-broker.backends.local", "9 auth-broker.chain.0.backends.1.use"]);
    assert.match(problemsOf(text)[1]?.message ?? "", /known here: local, hq/);
    const { backends } = parseConfig(text.replaceAll("local:", "lo:").replace("h1", "lo"), FILE)["auth-broker"];
    const { hq } = backends;
    assert.ok(hq?.kind === "radius");
    assert.equal(hq.servers[0]?.secretFile, "/etc/postern/hq.secret");
});

test("times of a RADIUS backend fit one another, and what a login may take", () => {
    const textOf = (keys: string, timeout = "120s"): string =>
        [
            "name: vpn.example.com", // 1
            "auth-broker:", // 2
            `  timeout: ${timeout}`, // 3
            "  backends:", // 4
            "    hq:", // 5
            "      kind: radius", // 6
            "      servers: [{ address: 192.0.2.1:1812, secretFile: hq.secret }]", // 7
            ...keys.split(", ").map((key) => `      ${key}`), // 8 …
        ].join("\n");
    const backend = "auth-broker.backends.hq";
    assert.deepEqual(places(textOf("serverTimeout: 2s, timeout: 2s")), [`8 ${backend}.serverTimeout`]);
    assert.deepEqual(places(textOf("retransmit: 1s, timeout: 30s", "20s")), [`9 ${backend}.timeout`]);
    const person = "profile: interactive, interactiveTimeout: 60s";
    assert.deepEqual(places(textOf(person, "30s")), [`9 ${backend}.interactiveTimeout`]);
    for (const good of [person, "profile: interactive, serverTimeout: 30s, timeout: 30s"]) {
        assert.ok(parseConfig(textOf(good), FILE)["auth-broker"].backends["hq"]);
    }
});

test("a RADIUS server needs a secret or TLS, and a certificate its key", () => {
    const textOf = (...servers: string[]): string =>
        [
            "name: vpn.example.com", // 1
            "auth-broker:", // 2
            "  backends:", // 3
            "    hq:", // 4
            "      kind: radius", // 5
            "      servers:", // 6
            ...servers.map((server) => `        - { address: 192.0.2.1:2083${server} }`),
        ].join("\n");
    const server = "auth-broker.backends.hq.servers";
    assert.deepEqual(places(textOf("", ", tls: { certificateFile: a.pem }", ", tls: { keyFile: a.key }")), [
        `7 ${server}.0.secretFile`,
        `8 ${server}.1.tls.keyFile`,
        `9 ${server}.2.tls.certificateFile`,
    ]);
    const text = textOf(", tls: { caFile: ca.pem, certificateFile: a.pem, keyFile: a.key }");
    const { hq } = parseConfig(text, FILE)["auth-broker"].backends;
    assert.ok(hq?.kind === "radius");
    assert.equal(hq.servers[0]?.tls?.keyFile, "/etc/postern/a.key");
});

test("what an LDAP directory cannot check is said here, not at the first login", () => {
    const directory = "{ kind: ldap, servers: [ldaps://dc1.corp.example], userBase: dc=corp }";
    const textOf = (methods: string, ...links: string[]): string =>
        [
            "name: vpn.example.com", // 1
            "auth-broker:", // 2
            `  methods: ${methods}`, // 3
            `  backends: { ad: ${directory} }`, // 4
            "  chain:", // 5
            "    - backends:", // 6
            ...links.map((link) => `        - ${link}`), // 7, 8
        ].join("\n");
    for (const method of ["mschapv2", "chap", "eap"]) {
        const text = textOf("[pap]", `{ use: ad, methods: [pap, ${method}] }`);
        assert.deepEqual(places(text), ["7 auth-broker.chain.0.backends.0.methods"]);
        assert.match(problemsOf(text)[0]?.message ?? "", /it can check pap alone/);
    }
    assert.deepEqual(places(textOf("[mschapv2]", "{ use: ad }", "{ use: local }")), ["3 auth-broker.methods"]);
    assert.deepEqual(places(textOf("[mschapv2, pap]", "{ use: ad }")), ["3 auth-broker.methods"]);
    assert.ok(parseConfig(textOf("[mschapv2, pap]", "{ use: ad }", "{ use: local }"), FILE));
    assert.ok(parseConfig(textOf("[pap]", "{ use: ad }"), FILE));
});

test("an LDAP backend has a service account whole or not at all, and no filter that ignores the user", () => {
    const textOf = (more: string): string =>
        `name: vpn.example.com\nauth-broker:\n  backends:\n    ad: { kind: ldap, servers: [ldaps://dc1], userBase: dc=corp, ${more} }\n`;
    assert.deepEqual(places(textOf("bindDn: cn=lookup")), ["4 auth-broker.backends.ad.bindDn"]);
    assert.deepEqual(places(textOf("userFilter: (uid=alice)")), ["4 auth-broker.backends.ad.userFilter"]);
    assert.deepEqual(places(textOf("passwordFile: secret")), ["4 auth-broker.backends.ad.passwordFile"]);
    assert.ok(parseConfig(textOf("userFilter: '(mail={user})'"), FILE));
});

test("policies name pools and backends that are there, and hours that can be", () => {
    const text = [
        "name: vpn.example.com", // 1
        "session-registry: { pools: { default: { networks: [10.91.0.0/24], gateway: 10.91.0.1 } } }", // 2
        "auth-broker:", // 3
        "  policies:", // 4
        "    - name: staff", // 5
        "      backends: [local, h1]", // 6
        "      set: { pool: staff }", // 7
        "    - name: night", // 8
        "      set:", // 9
        "        hours:", // 10
        "          zone: Europe/Nowhere", // 11
        "          spans:", // 12
        "            - { days: [fri], from: '22:00', to: '06:00' }", // 13
        "            - { days: [fri], from: '25:00', to: '26:00' }", // 14
    ].join("\n");
    const hours = "auth-broker.policies.1.set.hours";
    assert.deepEqual(places(text), [
        "6 auth-broker.policies.0.backends.1",
        "7 auth-broker.policies.0.set.pool",
        `11 ${hours}.zone`,
        `13 ${hours}.spans.0.to`,
        `14 ${hours}.spans.1.from`,
        `14 ${hours}.spans.1.to`,
    ]);
    const rest = text.slice(0, text.indexOf("    - name: night"));
    const good = rest.replace(", h1", "").replace("pool: staff", "pool: default, idleTimeout: 30m");
    const { policies } = parseConfig(good, FILE)["auth-broker"];
    assert.deepEqual(policies, [
        { name: "staff", backends: ["local"], set: { pool: "default", idleTimeout: 1_800_000 } },
    ]);
});
