import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePing } from "../../load/ping.ts";

test("round trips, and how many requests there were", () => {
    const output = `PING 10.95.0.1 (10.95.0.1) from 10.95.31.60 : 56(84) bytes of data.
64 bytes from 10.95.0.1: icmp_seq=1 ttl=64 time=0.213 ms
64 bytes from 10.95.0.1: icmp_seq=3 ttl=64 time=11.4 ms

--- 10.95.0.1 ping statistics ---
3 packets transmitted, 2 received, 33.3333% packet loss, time 2017ms
rtt min/avg/max/mdev = 0.213/5.781/11.350/5.568 ms
`;
    assert.deepEqual(parsePing(output), { sent: 3, roundTrips: [0.213, 11.4] });
    assert.deepEqual(parsePing(""), { sent: 0, roundTrips: [] });
});
