import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArguments, USAGE } from "../../client/arguments.ts";

const noPassword = (): string => assert.fail("there is one on the command line");

test("what has to be given, and what is taken then", () => {
    const options = parseArguments(["--server", "vpn.example.test:443", "--user", "CORP\\alice"], () => "typed");
    assert.deepEqual(options, {
        dial: {
            host: "vpn.example.test",
            port: 443,
            user: "CORP\\alice",
            password: "typed",
            verifiesCertificate: true,
        },
        sessions: 1,
        device: "sstp",
        mtu: 1_400,
        reach: undefined,
        reachIpv6: undefined,
        firstTable: 2_000,
    });
});

test("an IPv6 server, several sessions, no verification", () => {
    const line =
        "--server [2001:db8::1]:8443 --user a --password b --insecure --sessions 8 --device t --reach 10.0.0.1";
    const { dial, sessions, device, reach } = parseArguments(line.split(" "), noPassword);
    assert.deepEqual([dial.host, dial.port, dial.verifiesCertificate], ["2001:db8::1", 8_443, false]);
    assert.deepEqual([sessions, device, reach], [8, "t", "10.0.0.1"]);
});

test("anything else is answered with how to call it", () => {
    const wrong = [
        "",
        "--server host --user a",
        "--server host:1",
        "--server h:1 --user a --sessions 0",
        "--frobnicate",
    ];
    for (const line of wrong) {
        assert.throws(
            () => parseArguments(line.split(" ").filter(Boolean), () => ""),
            (error: Error) => error.message.includes(USAGE),
        );
    }
});
