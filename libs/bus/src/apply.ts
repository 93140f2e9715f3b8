// Creating what the contracts ask for, and proving that the server took it.
import type { Bus } from "./bus.ts";
import type { BusLayout } from "./layout.ts";
import { InvariantError } from "@postern/errors";

/** What was done, one line each, for a person to read. */
export interface ApplyReport {
    readonly created: readonly string[];
    readonly updated: readonly string[];
    readonly unchanged: readonly string[];
}

/**
 * Creates or updates streams, buckets and durable consumers, and reads all of them back.  Idempotent.
 * `admin` is connected with credentials of the role `admin`.
 */
export async function applyBus(admin: Bus, layout: BusLayout): Promise<ApplyReport> {
    await Promise.resolve();
    throw new InvariantError(`applyBus for ${admin.tenant} with ${layout.replicas} replicas is not there yet`);
}
