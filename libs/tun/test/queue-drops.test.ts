import assert from "node:assert/strict";
import { test } from "node:test";
import { parseQueueDrops, readQueueDrops } from "../src/queue-drops.ts";

const TEXT = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 1000       10    0    1    0     0          0         0     1000      10    0    2    0     0       0          0
  pst1: 2000       20    0    3    0     0          0         0     2000      20    0  445    0     0       0          0
 pst12:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
`;

test("the number is that of the interface and of its transmitting side", () => {
    assert.deepEqual(
        ["lo", "pst1", "pst12", "pst", "1"].map((name) => parseQueueDrops(TEXT, name)),
        [2, 445, 12, 0, 0],
    );
    assert.equal(readQueueDrops("lo"), 0);
});
