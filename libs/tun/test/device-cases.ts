// What happens to a device: packets of the kernel, batches that are read, chunks of a client, flushes, in any order.
import { OFFLOADS } from "@postern/tun";
import fc from "fast-check";
import { encodeSplit } from "./native-cases.ts";
import { hostileSplitCases, kernelCases } from "./split-cases.ts";
import { hostileStreamCases, streamCases } from "./stream-cases.ts";

/** The bytes that native/device-case.h reads. */
export const deviceCases: fc.Arbitrary<Buffer> = fc
    .record({
        offload: fc.nat(OFFLOADS.length - 1),
        flags: fc.constantFrom(1, 3, 3, 7),
        largest: fc.constantFrom(68, 576, 1_400),
        steps: fc.array(
            fc.oneof(
                fc.tuple(
                    fc.constant(0),
                    fc.oneof(kernelCases, hostileSplitCases).map((one) => encodeSplit(one).subarray(6)),
                ),
                fc.tuple(
                    fc.constant(1),
                    fc.constantFrom([0, 0, 0], [255, 255, 15], [80, 6, 0]).map((room) => Buffer.from(room)),
                ),
                fc.tuple(
                    fc.constantFrom(2, 3),
                    fc.oneof(streamCases, hostileStreamCases).map(({ stream }) => stream),
                ),
                fc.tuple(fc.constant(4), fc.constant(Buffer.alloc(0))),
            ),
            { minLength: 1, maxLength: 30 },
        ),
    })
    .map(({ offload, flags, largest, steps }) => {
        const head = Buffer.from([offload, flags, largest & 255, largest >> 8, 3, largest & 255, largest >> 8]);
        const parts = steps.map(([kind, all]) => {
            const bytes = all.subarray(0, 0xffff);
            return Buffer.concat([Buffer.from([kind, bytes.length & 255, bytes.length >> 8]), bytes]);
        });
        return Buffer.concat([head, ...parts]);
    });
