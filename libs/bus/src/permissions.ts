// The permission table of the contracts in nats-server's syntax.
import type { Role } from "@postern/contracts";
import { InvariantError } from "@postern/errors";

export interface BusUser {
    readonly role: Role;
    readonly instance: string;
    /** `U…` */
    readonly nkeyPublic: string;
}

/** An `authorization { … }` block for nats-server's configuration. */
export function natsPermissions(tenant: string, users: readonly BusUser[]): string {
    throw new InvariantError(`natsPermissions of ${tenant} for ${users.length} users is not there yet`);
}
