// What the first record of a segment says: whose log it is, and which events the chain has already, so that a segment can be
// continued, and its gaps be seen, without the segments before it.
import { InstanceId } from "@postern/contracts";
import { z } from "zod";

const Range = z.tuple([z.int().positive(), z.int().positive()]);

const Recorded = z.array(
    z.strictObject({
        source: z.string(),
        epoch: z.int().nonnegative(),
        /** Sequence numbers, first to last, both included; ascending. */
        ranges: z.array(Range),
    }),
);
export type Recorded = z.infer<typeof Recorded>;

/** Random: an instance that begins again in an empty directory begins another chain. */
export const ChainId = z.string().regex(/^[0-9a-f]{32}$/);

export const Opening = z.strictObject({ writer: InstanceId, chain: ChainId, recorded: Recorded });
export type Opening = z.infer<typeof Opening>;
