// A gigabyte each way through a tunnel, IPv4 and IPv6 inside, with every wire losing packets: what arrives is what was sent, byte for byte.
import { after, before, describe, test } from "node:test";
import { assertArrives, assertUnharmed } from "./transfer-checks.ts";
import { TransferBed } from "./transfer-bed.ts";

const GIGABYTE = 1e9;
const LOSS_PER_MILLE = 4;

const FAMILIES = ["IPv4", "IPv6"] as const;
const DIRECTIONS = ["down", "up"] as const;
const BEDS = [
    // Super-packets come from the network and are cut up, and a whole one is lost.
    { mtu: 1_400, largestOnWire: 12_000 },
    // Packets come one by one, as from a card without offloads.
    { mtu: 1_500, largestOnWire: 2_048 },
];

for (const { mtu, largestOnWire } of BEDS) {
    describe(`MTU ${mtu}, at most ${largestOnWire} bytes on a wire`, () => {
        let bed: TransferBed;
        let sessions: string[];

        before(async () => {
            bed = await TransferBed.start({ mtu, largestOnWire, lossPerMille: LOSS_PER_MILLE });
            sessions = await bed.sessions();
        });
        after(() => bed[Symbol.asyncDispose]());

        for (const family of FAMILIES) {
            for (const direction of DIRECTIONS) {
                test(`a gigabyte ${direction}, ${family} inside`, (context) =>
                    assertArrives(context, bed, family, direction, GIGABYTE));
            }
        }

        test("the session is the same, and dropped nothing but at full queues", (context) => {
            const each = FAMILIES.length * GIGABYTE;
            return assertUnharmed(context, bed, sessions, { down: each, up: each });
        });
    });
}
