// Keys of TLS session tickets: derived, so that every worker with the same secret file has the same ones, without a word on the bus.
//   key(period, certificates) = HKDF-SHA-256(secret, info = "postern tls-tickets v1" | period:64 | SHA-256 of each certificate)
//   48 octets as TLS wants them: name:16 | HMAC key:16 | AES-128 key:16.  The name stands in front of every ticket, RFC 5077 §4.
import { hkdfSync } from "node:crypto";

const KEY_SIZE = 48;
const NAME_SIZE = 16;
const LABEL = Buffer.from("postern tls-tickets v1");

export interface TicketKey {
    /** Hex. */
    readonly name: string;
    readonly bytes: Buffer;
}

/** The name of the key that a ticket was made with. */
export const keyNameOf = (ticket: Uint8Array): string => Buffer.from(ticket.subarray(0, NAME_SIZE)).toString("hex");

export interface TicketSettings {
    /** Milliseconds from the full handshake during which a ticket can bring its session back. */
    readonly lifetime: number;
    /** Whether clients of TLS 1.2 get tickets.  Who knows the secret can read what was said on connections that had one. */
    readonly tls12: boolean;
}

export class TicketKeys {
    readonly settings: TicketSettings;
    readonly #now: () => number;
    #secret: Uint8Array;
    #generation = 0;

    /** `now`: wall-clock milliseconds; workers whose clocks agree change their keys at the same time. */
    constructor(secret: Uint8Array, settings: TicketSettings, now: () => number) {
        this.#secret = secret;
        this.settings = settings;
        this.#now = now;
    }

    /** Wall-clock milliseconds. */
    get now(): number {
        return this.#now();
    }

    /** A key is used for new tickets in one period, which is as long as a ticket lives, and accepted to the end of the next. */
    get period(): number {
        return Math.floor(this.#now() / this.settings.lifetime);
    }

    /** Counts the secrets there were: no key of an earlier one may be accepted. */
    get generation(): number {
        return this.#generation;
    }

    /** From now on all keys are others; false: it is the secret that it was. */
    replaceSecret(secret: Uint8Array): boolean {
        if (Buffer.compare(secret, this.#secret) === 0) return false;
        this.#secret = secret;
        this.#generation += 1;
        return true;
    }

    /** When the key of `period` is accepted no more, in wall-clock milliseconds. */
    endOf(period: number): number {
        return (period + 2) * this.settings.lifetime;
    }

    /** `certificates`: SHA-256 of those that may be shown with this key's tickets. */
    derive(period: number, certificates: readonly Uint8Array[]): TicketKey {
        const number = Buffer.alloc(8);
        number.writeBigInt64BE(BigInt(period));
        const info = Buffer.concat([LABEL, number, ...certificates]);
        const bytes = Buffer.from(hkdfSync("sha256", this.#secret, new Uint8Array(0), info, KEY_SIZE));
        return { name: keyNameOf(bytes), bytes };
    }
}
