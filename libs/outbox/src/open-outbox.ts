import { InvariantError } from "@postern/errors";
import type { Outbox, OutboxOptions } from "./outbox.ts";

/** Opens (or creates) the outbox of this instance, and begins to publish what an earlier start left in it. */
export async function openOutbox(options: OutboxOptions): Promise<Outbox> {
    await Promise.resolve();
    throw new InvariantError(`the outbox in ${options.directory} is not there yet`);
}
