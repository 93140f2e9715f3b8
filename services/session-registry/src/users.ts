// Which sessions a user has: `users/<principal>`, written before a session gets anything else.
import { encodeKey, type UserRecord } from "@postern/contracts";
import type { Entry } from "@postern/bus";
import { timestamp, type Clock } from "./clock.ts";
import { AGAIN, type Again, type Retry } from "./retry.ts";
import type { WatchedBucket } from "./watched-bucket.ts";

export type ListedSession = UserRecord["sessions"][number];

/** The address that an ended session leaves to its user. */
export interface Bequest {
    readonly pool: string;
    readonly address: string;
    /** Milliseconds for which it is held. */
    readonly holdFor: number;
}

export interface UsersPorts {
    readonly bucket: WatchedBucket<UserRecord>;
    readonly clock: Clock;
    readonly retry: Retry;
}

export class Users {
    readonly #ports: UsersPorts;

    constructor(ports: UsersPorts) {
        this.#ports = ports;
    }

    read(principal: string, turn: number): Promise<Entry<UserRecord> | undefined> {
        return this.#ports.bucket.read(encodeKey(principal), turn);
    }

    /** Writes the record over `before`; `AGAIN`: somebody else has changed it. */
    async write(record: UserRecord, before: Entry<UserRecord> | undefined): Promise<Again | undefined> {
        const { bucket } = this.#ports;
        const key = encodeKey(record.principal);
        const written =
            before === undefined ? await bucket.create(key, record) : await bucket.update(key, record, before.revision);
        return written === undefined ? AGAIN : undefined;
    }

    /** Puts a session that lives on its user's list.  Idempotent. */
    async enlist(principal: string, session: ListedSession): Promise<void> {
        const { bucket, retry } = this.#ports;
        await retry<undefined>(`sessions of user ${principal}`, async (): Promise<Again | undefined> => {
            const entry = await bucket.fetch(encodeKey(principal));
            const listed = entry?.value.sessions ?? [];
            if (listed.some((one) => one.session === session.session)) return undefined;
            return this.write({ ...entry?.value, principal, sessions: [...listed, session] }, entry);
        });
    }

    /** Takes a session off its user's list.  It must be over.  Idempotent. */
    async forget(principal: string, session: string, bequest: Bequest | undefined): Promise<void> {
        const { bucket, clock, retry } = this.#ports;
        await retry(`sessions of user ${principal}`, async (turn) => {
            const entry = await this.read(principal, turn);
            if (entry === undefined || !entry.value.sessions.some((listed) => listed.session === session)) {
                return turn === 0 ? AGAIN : undefined;
            }
            const sessions = entry.value.sessions.filter((listed) => listed.session !== session);
            const sticky =
                bequest === undefined || bequest.holdFor <= 0
                    ? entry.value.sticky
                    : {
                          pool: bequest.pool,
                          address: bequest.address,
                          until: timestamp(clock.now() + bequest.holdFor),
                      };
            if (sessions.length === 0 && sticky === undefined) {
                return (await bucket.delete(entry.key, entry.revision)) ? undefined : AGAIN;
            }
            return this.write({ principal, sessions, ...(sticky === undefined ? {} : { sticky }) }, entry);
        });
    }
}
