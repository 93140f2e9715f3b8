// After a pause every client's packets lie there to be read, one client after the other, and the kernel answers each at once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { formatIpv4, parseIpv4 } from "@postern/ip";
import { inOwnNamespace } from "@postern/testkit";
import { openTun } from "@postern/tun";
import { echoRequest } from "../echo-request.ts";
import { openPorts } from "../receiver.ts";
import { frameOf } from "../reflector.ts";

const GATEWAY = "10.91.0.1";
const QUEUE = 512;
const CLIENTS = 4 * QUEUE;
const FIRST = parseIpv4("10.91.1.0");

inOwnNamespace(import.meta.filename, () => {
    test("four times as many clients as the device's queue holds packets ping in one turn of the event loop, and all are answered", async () => {
        const device = openTun({
            name: "pst%d",
            mtu: 1_400,
            gateways: [GATEWAY],
            sessions: CLIENTS,
            queueLength: QUEUE,
        });
        const answered = Promise.withResolvers<undefined>();
        const answers = new Set<number>();
        const clients = Array.from({ length: CLIENTS }, (_, slot) => {
            const address = formatIpv4(FIRST + slot);
            const onRun = (): void => {
                answers.add(slot);
                if (answers.size === CLIENTS) answered.resolve(undefined);
            };
            const path = device.path(slot, openPorts(onRun));
            path.refresh();
            path.lease(address, 1_400);
            return { path, ping: frameOf(echoRequest(address, GATEWAY, slot)) };
        });
        device.start((error) => answered.reject(error));
        try {
            for (const { path, ping } of clients) assert.equal(path.take(ping, 0, ping.length, false), ping.length);
            await Promise.race([answered.promise, delay(20_000, undefined, { ref: false })]);
            assert.deepEqual([answers.size, device.counters().dropsInQueueFull], [CLIENTS, 0]);
        } finally {
            device.close();
        }
    });
});
