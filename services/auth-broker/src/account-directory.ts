// Every local user in memory, kept in step with KV `accounts`, so that a login reads nothing from the bus.  Records stay
// sealed until they are needed.
import { openAccount, type Account, type AccountCipher } from "@postern/accounts";
import type { Bucket, Watch } from "@postern/bus";
import { encodeKey, type AccountRecord } from "@postern/contracts";
import type { Logger } from "@postern/telemetry";

export interface AccountDirectoryPorts {
    readonly bucket: Pick<Bucket<AccountRecord>, "watch">;
    readonly cipher: AccountCipher;
    readonly log: Logger;
    /** Users that are kept. */
    readonly limit: number;
}

export class AccountDirectory {
    readonly #ports: AccountDirectoryPorts;
    /** By KV key. */
    readonly #records = new Map<string, AccountRecord>();
    #watch: Watch | undefined;
    #loaded = false;

    constructor(ports: AccountDirectoryPorts) {
        this.#ports = ports;
    }

    /** Resolves when all users are known. */
    async start(): Promise<void> {
        this.#watch = await this.#ports.bucket.watch((change) => {
            if (change.kind === "gone") this.#records.delete(change.key);
            else this.#put(change.entry.key, change.entry.value);
        });
        await this.#watch.ready;
        this.#loaded = true;
        this.#ports.log.info({ accounts: this.size }, "local users loaded");
    }

    stop(): void {
        this.#watch?.stop();
    }

    get size(): number {
        return this.#records.size;
    }

    readiness(): string | undefined {
        return this.#loaded ? undefined : "local users are not loaded yet";
    }

    /** The user with this canonical name; AccountUnreadableError when the record does not open. */
    find(user: string): Account | undefined {
        const record = this.#records.get(encodeKey(user));
        return record === undefined ? undefined : openAccount(this.#ports.cipher, record);
    }

    #put(key: string, record: AccountRecord): void {
        const { log, limit, cipher } = this.#ports;
        // A user whose new record cannot be used must not go on with the old one.
        this.#records.delete(key);
        if (encodeKey(record.user) !== key) {
            return log.error(
                { key, user: record.user },
                "an account is stored under another user's key: it is not used",
            );
        }
        if (this.#records.size >= limit) {
            return log.error(
                { user: record.user, limit },
                "more local users than limits.accounts: this one cannot log in",
            );
        }
        this.#records.set(key, record);
        try {
            openAccount(cipher, record);
        } catch (error) {
            log.error({ user: record.user, error }, "an account does not open: its user cannot log in");
        }
    }
}
