import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "@postern/errors";
import { createCertificateAuthority, createTemporaryDirectory } from "@postern/testkit";
import { readRadiusServers } from "../src/radius-servers.ts";

const SILENCE = 1_000;
const SERVER = { address: { host: "192.0.2.1", port: 2_083 }, priority: 0, weight: 1 };

test("over TLS: certificates and key from their files, and the secret that RFC 6614 gives everybody", async () => {
    await using directory = await createTemporaryDirectory("radius-servers");
    const authority = await createCertificateAuthority("authority");
    const { cert, key } = await authority.issue({ names: ["postern"] });
    const file = async (name: string, text: string): Promise<string> => {
        const path = join(directory.path, name);
        await writeFile(path, text, { mode: 0o600 });
        return path;
    };
    const tls = {
        caFile: await file("ca.pem", authority.cert),
        certificateFile: await file("postern.pem", cert),
        keyFile: await file("postern.key", key),
        serverName: "radius.example",
    };
    const [server] = await readRadiusServers([{ ...SERVER, tls }], SILENCE);
    assert.ok(server?.address.tls);
    assert.equal(Buffer.from(server.secret).toString(), "radsec");
    const { ca, certificate, serverName, silence } = server.address.tls;
    assert.deepEqual([ca, certificate?.cert, serverName, silence], [authority.cert, cert, "radius.example", SILENCE]);
    assert.equal(certificate?.key.trim(), key.trim());
    await chmod(tls.keyFile, 0o644);
    await assert.rejects(readRadiusServers([{ ...SERVER, tls }], SILENCE), (error) => {
        assert.ok(error instanceof ConfigError);
        return error.message.includes(tls.keyFile) && !error.message.includes(key.slice(40, 60));
    });
    const absent = join(directory.path, "absent.pem");
    await assert.rejects(readRadiusServers([{ ...SERVER, tls: { caFile: absent } }], SILENCE), ConfigError);
});
