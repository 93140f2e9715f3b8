// Bulk data through a tunnel over wires that lose packets; test/transfer sends a gigabyte each way.
import { test } from "node:test";
import { TransferBed } from "../transfer/transfer-bed.ts";
import { assertArrives, assertUnharmed } from "../transfer/transfer-checks.ts";

const MEGABYTE = 1e6;
const BYTES = 20 * MEGABYTE;

test("20 MB each way over wires that lose packets arrive as they were sent, over IPv4 and IPv6", async (context) => {
    await using bed = await TransferBed.start({ largestOnWire: 2_048, lossPerMille: 4 });
    const sessions = await bed.sessions();
    for (const family of ["IPv4", "IPv6"] as const) {
        for (const direction of ["down", "up"] as const) await assertArrives(context, bed, family, direction, BYTES);
    }
    await assertUnharmed(context, bed, sessions, { down: 2 * BYTES, up: 2 * BYTES });
});
