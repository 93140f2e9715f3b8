// `make start` configures IPv6, and a host whose administrator has switched it off carries IPv4 as ever.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Installation } from "./installation.ts";

const PORT = 14_437;
const SWITCHES = ["all", "default"].map((which) => `/proc/sys/net/ipv6/conf/${which}/disable_ipv6`);
const WARNING = /WARN +IPv6 is configured and not carried: clients have IPv4 alone/g;

let postern: Installation;

before(async () => {
    for (const file of SWITCHES) writeFileSync(file, "1\n");
    postern = await Installation.start({ port: PORT });
});

after(async () => {
    await postern[Symbol.asyncDispose]();
    for (const file of SWITCHES) writeFileSync(file, "0\n");
});

test("on a host without IPv6 a client has IPv4 alone, IPV6CP is answered, and each worker says so once", async () => {
    const client = await postern.dial();
    await client.ping(postern.ready.gateway);
    assert.equal(client.ipv6?.serverInterfaceId, "0000000000000001");
    await assert.rejects(client.untilIpv6Network(1_500), /IPV6_UNANSWERED/);
    await client.ping(postern.ready.gateway);
    await client.disconnect();
    assert.equal(postern.output.match(WARNING)?.length, 2, postern.output);
});
