// What the first record of a segment says: which events the chain has already, so that a segment can be continued, and its gaps be
// seen, without the segments before it.
import { z } from "zod";

const Range = z.tuple([z.int().positive(), z.int().positive()]);

export const Opening = z.strictObject({
    recorded: z.array(
        z.strictObject({
            source: z.string(),
            epoch: z.int().nonnegative(),
            /** Sequence numbers, first to last, both included; ascending. */
            ranges: z.array(Range),
        }),
    ),
});
export type Opening = z.infer<typeof Opening>;
