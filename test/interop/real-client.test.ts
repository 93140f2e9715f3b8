// A real SSTP client dials a real postern: sstpc and pppd on a Linux kernel of their own, all services as `make start`
// runs them, a private host behind.  One network, one installation and one client machine serve all tests of this file.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { loadConfig } from "@postern/config";
import { formatIpv6, ipv6CidrContains, parseCidr, parseIpv6 } from "@postern/ip";
import { createCertificateAuthority, createTemporaryDirectory, eventually } from "@postern/testkit";
import type { DialOptions } from "./dial-script.ts";
import { download, startFileServer, upload } from "./file-transfer.ts";
import { startCapture } from "./packet-capture.ts";
import { RealClient, type Connection } from "./real-client.ts";
import { startPostern, type ReadyFile, type RunningPostern } from "./running-postern.ts";
import { dissectSstp } from "./sstp-dissector.ts";
import { ADDRESSES, createTopology, OUTSIDE_INTERFACE, type Topology } from "./topology.ts";

const NAME = "vpn.postern.test";
const NAME_SERVERS = ["192.0.2.53", "192.0.2.54"];
const FILE_SIZE = 50_000_000;
const SMALL_FILE_SIZE = 5_000_000;

const resources = new AsyncDisposableStack();
let topology: Topology;
let postern: RunningPostern;
let client: RealClient;
let ready: ReadyFile;
let keyLog: string;
/** A dial as a user of this installation makes it, with the server's certificate verified. */
let credentials: DialOptions;

before(async () => {
    const directory = resources.use(await createTemporaryDirectory("interop"));
    keyLog = join(directory.path, "keys.log");
    topology = resources.use(await createTopology());
    const configure = (yaml: string): string => {
        const configured = yaml.replace(
            /(default: \{ networks: \[[^\]]*\],)/u,
            `$1 dns: [${NAME_SERVERS.join(", ")}],`,
        );
        assert.notEqual(configured, yaml, "the generated configuration has another form");
        return configured;
    };
    for (const address of [ADDRESSES.inside, ADDRESSES.insideIpv6]) await startFileServer(topology.inside, address);
    client = resources.use(await RealClient.boot(topology, { lifetime: 600_000 }));
    postern = resources.use(await startPostern(topology.server, { name: NAME, configure, keyLog }));
    ready = await postern.ready();
    const authority = await readFile(ready.ca, "utf8");
    credentials = { host: NAME, user: ready.user, password: ready.password, authority };
});

after(() => resources.disposeAsync());

const ping = (address: string): string => `ping -c 3 -i 0.2 -W 2 ${address}`;

interface ListedSession {
    readonly address: string;
    readonly ipv6Prefix?: string;
    readonly state: string;
    readonly principal: string;
    readonly worker: string;
}

async function sessions(): Promise<readonly ListedSession[]> {
    return JSON.parse(await postern.cli("--json", "sessions"));
}

async function hangUp(connection: Connection): Promise<void> {
    await connection.hangUp();
    await eventually(async () => assert.deepEqual(await sessions(), []), {
        what: "the session to be gone",
        every: 200,
    });
}

test("the client connects and reaches the private network, and only through the tunnel", async () => {
    const before = await client.guest.run(ping(ADDRESSES.inside));
    assert.notEqual(before.status, 0, "the private host is reachable without a tunnel");

    const connection = await client.connect(credentials);
    assert.equal(await connection.method(), "chap MS-v2", "the first that is offered");
    const { address, peerAddress, dns } = connection.addresses;
    assert.equal(peerAddress, ready.gateway);
    assert.deepEqual(dns, NAME_SERVERS);
    await client.guest.expect(ping(peerAddress));
    await client.guest.expect(ping(ADDRESSES.inside));
    const [session, ...others] = await sessions();
    assert.deepEqual(others, []);
    assert.equal(session?.address, address);
    assert.equal(session.principal, ready.user);
    await hangUp(connection);
});

// The crypto binding covers the certificate that was served: the client chooses which by the signatures it offers.
for (const version of ["TLSv1.2", "TLSv1.3"]) {
    for (const [certificate, signatures] of [
        ["RSA", "rsa_pss_rsae_sha256:RSA+SHA256"],
        ["ECDSA", "ECDSA+SHA256"],
    ] as const) {
        test(`the client connects with ${version} and the ${certificate} certificate`, async () => {
            const tls = { MinProtocol: version, MaxProtocol: version, SignatureAlgorithms: signatures };
            const connection = await client.connect({ ...credentials, tls });
            await client.guest.expect(ping(ready.gateway));
            await hangUp(connection);
        });
    }
}

// Also the proof that the settings of the tests above reach the client.
test("a client without an acceptable TLS version or signature does not get in", async () => {
    for (const tls of [{ MaxProtocol: "TLSv1.1" }, { SignatureAlgorithms: "ed25519" }]) {
        const result = await client.dial({ ...credentials, tls });
        assert.ok(result.kind === "failed", `it connected with ${JSON.stringify(tls)}`);
        assert.match(result.log, /HTTP handshake/u);
    }
});

test("IPV6CP opens beside IPCP", async () => {
    const connection = await client.connect(credentials);
    const { address, peerAddress } = await connection.ipv6();
    assert.match(address, /^fe80:/u);
    assert.match(peerAddress, /^fe80:/u);
    await hangUp(connection);
});

test("the client's kernel takes address and default route from our router advertisement, and reaches the private network", async () => {
    const before = await client.guest.run(ping(ADDRESSES.insideIpv6));
    assert.notEqual(before.status, 0, "the private host is reachable without a tunnel");
    const connection = await client.connect(credentials);
    const [address, { peerAddress }, [session]] = [
        await connection.globalIpv6(),
        await connection.ipv6(),
        await sessions(),
    ];
    const prefix = parseCidr(session?.ipv6Prefix ?? "");
    assert.ok(
        prefix.version === 6 && ipv6CidrContains(prefix, parseIpv6(address)),
        `${address} in ${session?.ipv6Prefix}`,
    );
    const { interface: name } = connection.addresses;
    const router = formatIpv6(parseIpv6(peerAddress));
    assert.match(
        await client.guest.expect("ip -6 route show default"),
        new RegExp(`^default via ${router} dev ${name} proto ra`, "mu"),
    );
    assert.match(await client.guest.expect(`cat /proc/sys/net/ipv6/conf/${name}/mtu`), /^1400$/mu);
    const { ipv6 } = loadConfig(ready.config)["session-worker"].uplink;
    for (const destination of [ipv6?.gateway ?? "", ADDRESSES.insideIpv6]) await client.guest.expect(ping(destination));
    await client.guest.expect(ping(`${router}%${name}`));
    // What is too large for the tunnel is told so, by the kernel here or by postern there, and comes in fragments.
    await client.guest.expect(ping(`-s 3000 ${ADDRESSES.insideIpv6}`));
    for (const transfer of [download, upload]) {
        const { bytes, sha256, expected } = await transfer(client.guest, SMALL_FILE_SIZE, ADDRESSES.insideIpv6);
        assert.deepEqual([bytes, sha256], [SMALL_FILE_SIZE, expected]);
    }
    await hangUp(connection);
});

test("50 MB arrive unchanged, each way", async (context) => {
    const connection = await client.connect(credentials);
    for (const [direction, transfer] of [
        ["download", download],
        ["upload", upload],
    ] as const) {
        const { bytes, sha256, expected, megabitsPerSecond } = await transfer(client.guest, FILE_SIZE);
        assert.equal(bytes, FILE_SIZE);
        assert.equal(sha256, expected);
        context.diagnostic(`${direction}: ${megabitsPerSecond.toFixed(1)} Mbit/s`);
    }
    await hangUp(connection);
});

test("what is on the wire is SSTP and PPP to tshark, without a fault", async () => {
    await using capture = await startCapture(topology.server, OUTSIDE_INTERFACE);
    const connection = await client.connect(credentials);
    await client.guest.expect(ping(ready.gateway));
    await hangUp(connection);
    await capture.stop();
    const { frames, messages, problems } = await dissectSstp(capture.file, keyLog);
    assert.deepEqual(problems, []);
    assert.deepEqual(messages.slice(0, 3), [
        { fromServer: false, message: "call-connect-request" },
        { fromServer: true, message: "call-connect-ack" },
        { fromServer: false, message: "call-connected" },
    ]);
    const seen = new Set(frames.flatMap(({ protocols }) => protocols));
    for (const protocol of ["http", "lcp", "chap", "ipcp", "ipv6cp", "icmp"]) assert.ok(seen.has(protocol), protocol);
});

test("a client that cannot verify the certificate does not send its password", async () => {
    const stranger = await createCertificateAuthority("A stranger");
    const result = await client.dial({ ...credentials, authority: stranger.cert });
    assert.ok(result.kind === "failed", "it connected");
    assert.match(result.log, /certificate verification failed/iu);
    assert.doesNotMatch(result.log, /sent \[(?:CHAP|PAP)/u);
});

test("a user gets the same address again", async () => {
    const first = await client.connect(credentials);
    await hangUp(first);
    const second = await client.connect(credentials);
    assert.equal(second.addresses.address, first.addresses.address);
    await hangUp(second);
});

test("a port on which nothing listens is a failure with a reason", async () => {
    const result = await client.dial({ ...credentials, port: 444 });
    assert.ok(result.kind === "failed", "it connected");
    assert.equal(result.reason, "hangup");
    assert.match(result.log, /Unrecoverable socket error/u);
});

test("when its worker is killed the client is told, dials again and has its address again", async () => {
    const connection = await client.connect(credentials);
    const [session] = await sessions();
    const { pids } = await postern.ready();
    const pid = pids["session-worker"]?.[["worker-1", "worker-2"].indexOf(session?.worker ?? "")];
    assert.ok(pid !== undefined, `no process of ${session?.worker}`);
    process.kill(pid, "SIGKILL");
    await connection.ended();
    const again = await client.connect(credentials);
    assert.equal(again.addresses.address, connection.addresses.address);
    assert.ok(again.milliseconds < 5_000, `it took ${again.milliseconds} ms`);
    await client.guest.expect(ping(ADDRESSES.inside));
    await hangUp(again);
});

test("`postern disconnect` ends the call of the client", async () => {
    const connection = await client.connect(credentials);
    await postern.cli("disconnect", "--user", ready.user);
    const { log } = await connection.ended();
    assert.match(log, /rcvd \[LCP TermReq|CALL DISCONNECT|CALL ABORT/u);
    await eventually(async () => assert.deepEqual(await sessions(), []), {
        what: "the session to be gone",
        every: 200,
    });
});
