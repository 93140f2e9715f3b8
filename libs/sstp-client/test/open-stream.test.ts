import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { describe, test } from "node:test";
import { createCertificateAuthority } from "@postern/testkit";
import { DialError, type DialStep, SstpClient, type SstpClientOptions } from "@postern/sstp-client";
import { dial, optionsFor, startServer } from "./loopback.ts";

async function failureOf(options: SstpClientOptions): Promise<DialError> {
    try {
        await SstpClient.connect(options);
    } catch (error) {
        assert.ok(error instanceof DialError);
        return error;
    }
    return assert.fail("it opened");
}

describe("a dial that fails says at which step", { concurrency: true }, () => {
    test("tcp: nobody listens", async () => {
        const server = await startServer();
        const options = optionsFor(server);
        await server.close();
        const { step, end, message } = await failureOf(options);
        assert.deepEqual([step, end.reason], ["tcp", "stream-error"]);
        assert.match(message, /^DIAL_FAILED: step tcp: stream-error: .*ECONNREFUSED/);
    });

    test("tls: a certificate of another authority, or for another name", async () => {
        const server = await startServer();
        const other = await createCertificateAuthority();
        const unknown = await failureOf(optionsFor(server, { ca: other.cert }));
        assert.deepEqual([unknown.step, unknown.end.reason], ["tls", "stream-error"]);
        for (const client of ["windows", "sstpc"] as const) {
            const misnamed = await failureOf(optionsFor(server, { servername: "other.example.test", client }));
            assert.equal(misnamed.step, "tls");
            assert.match(misnamed.end.detail, /other\.example\.test/);
        }
        const client = await dial(server, { ca: other.cert, verifiesCertificate: false });
        client.destroy();
    });

    test("tls: no version in common", async () => {
        const server = await startServer({ tls: { maxVersion: "TLSv1.2" } });
        const { step } = await failureOf(optionsFor(server, { tls: { minVersion: "TLSv1.3" } }));
        assert.equal(step, "tls");
    });

    test("http: another status than 200", async () => {
        const server = await startServer({ refuses: 503 });
        const { step, end } = await failureOf(optionsFor(server));
        assert.deepEqual([step, end.reason, end.status], ["http", "http-refused", 503]);
    });

    test("auth: a wrong password, by either method", async () => {
        const server = await startServer();
        const failures = (["mschapv2", "pap"] as const).map((method) =>
            failureOf(optionsFor(server, { password: "wrong", method })),
        );
        for (const { step, end } of await Promise.all(failures)) {
            assert.deepEqual([step, end.reason], ["auth", "ppp-closed"]);
            assert.equal(end.ppp?.reason, "authentication-failed");
        }
    });

    test("lcp: no method in common", async () => {
        const server = await startServer({ methods: ["pap"] });
        const { step, end } = await failureOf(optionsFor(server, { method: "mschapv2" }));
        assert.deepEqual([step, end.reason], ["lcp", "ppp-closed"]);
    });
});

describe("a dial that is not answered ends at its time limit", { concurrency: true }, () => {
    const timeout = 1000;

    test("tls: a port that accepts and says nothing", async () => {
        const silent = createServer((socket) => socket.on("error", () => undefined).resume()).listen(0, "127.0.0.1");
        await once(silent, "listening");
        const address = silent.address();
        assert.ok(address !== null && typeof address === "object");
        const options = { host: "127.0.0.1", port: address.port, user: "a", password: "b", timeout };
        const { step, end } = await failureOf(options);
        assert.deepEqual([step, end.reason], ["tls", "dial-timeout"]);
        silent.close();
        await once(silent, "close");
    });

    const steps: readonly (readonly [DialStep, Parameters<typeof startServer>[0]])[] = [
        ["http", { silent: true }],
        ["auth", { authenticating: () => new Promise(() => undefined) }],
    ];
    for (const [expected, script] of steps) {
        test(`${expected}: a server that stops answering`, async () => {
            const server = await startServer(script);
            const { step, end } = await failureOf(optionsFor(server, { timeout }));
            assert.deepEqual([step, end.reason], [expected, "dial-timeout"]);
        });
    }
});
