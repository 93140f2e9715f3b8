// What is served for one name: certificates, and tickets that bring a session back.
//
// TLS decides from a context which ticket it takes, gives, and which certificate it shows; a context has one ticket key.  So
// there is a context for each key that is accepted, all with the newest certificates, and a client's ticket says whose it is.  A
// resumed connection shows no certificate: what its client was shown once is one of those that were served while the key was
// in use.  Tickets are given on full handshakes only, so no ticket and no certificate outlives the lifetime of a ticket.
import { constants, type X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import type { ClientHello } from "@postern/client-hello";
import { type CertificateHashes, hashesOf } from "./certificate-hashes.ts";
import { keyNameOf, type TicketKey, type TicketKeys } from "./ticket-keys.ts";

export interface TlsOptions {
    readonly minVersion: "TLSv1.2" | "TLSv1.3";
    readonly maxVersion: "TLSv1.2" | "TLSv1.3";
    readonly ciphers: string;
}

/** A certificate as it was read, the server's own first. */
export interface CertificatePair {
    readonly certificate: Buffer;
    readonly key: Buffer;
    readonly leaf: X509Certificate;
}

/** What one handshake is done with. */
export interface HandshakeTerms {
    readonly context: SecureContext;
    /** The certificates that the peer of `socket`, which shook hands with `context`, may have been shown. */
    seenBy(socket: TLSSocket): readonly CertificateHashes[];
}

export type ResumptionOffer = Pick<ClientHello, "tickets" | "versions">;

/** A certificate that the owner of a ticket may have been shown. */
interface ShownCertificate {
    readonly hashes: CertificateHashes;
    /** Wall-clock milliseconds; `Infinity` while it is served. */
    readonly until: number;
}

/** A ticket key that is accepted. */
interface Acceptance {
    readonly key: TicketKey;
    readonly terms: HandshakeTerms;
    /** All that may have been shown with tickets of this key. */
    readonly shown: readonly ShownCertificate[];
    /** Wall-clock milliseconds. */
    readonly until: number;
}

/** Tickets that are looked at; a client has one or two. */
const MAX_OFFERED = 4;
/** Keys of replaced certificates that are kept; files that change more often than this cost clients a full handshake. */
const MAX_RETIRED = 8;

export class ServerIdentity {
    /** Lower-case DNS names. */
    readonly names: readonly string[];
    readonly #pairs: readonly CertificatePair[];
    readonly #hashes: readonly CertificateHashes[];
    readonly #tls: TlsOptions;
    readonly #keys: TicketKeys;
    readonly #accepted = new Map<string, Acceptance>();
    readonly #withoutTickets: HandshakeTerms | undefined;
    #period: number;
    #generation: number;
    #current: Acceptance;

    /**
     * `previous` is what was served for the name before: its tickets are taken until a ticket's lifetime from now.  Throws what
     * OpenSSL says of certificates and keys that do not fit.
     */
    constructor(
        names: readonly string[],
        pairs: readonly CertificatePair[],
        tls: TlsOptions,
        keys: TicketKeys,
        previous?: ServerIdentity,
    ) {
        this.names = names;
        this.#pairs = pairs;
        this.#hashes = pairs.map(({ leaf }) => hashesOf(leaf.raw));
        this.#tls = tls;
        this.#keys = keys;
        this.#period = keys.period;
        this.#generation = keys.generation;
        this.#current = this.#change();
        this.#withoutTickets = keys.settings.tls12 ? undefined : this.#terms(undefined, []);
        if (previous !== undefined) this.#takeOver(previous);
    }

    /** What the handshake that begins with `hello` is done with. */
    termsFor({ tickets, versions }: ResumptionOffer): HandshakeTerms {
        this.#keepUp();
        const speaks13 = this.#tls.maxVersion === "TLSv1.3" && versions.includes("TLSv1.3");
        if (!speaks13 && this.#withoutTickets !== undefined) return this.#withoutTickets;
        const { now } = this.#keys;
        for (const ticket of tickets.slice(0, MAX_OFFERED)) {
            const acceptance = this.#accepted.get(keyNameOf(ticket));
            if (acceptance !== undefined && now < acceptance.until) return acceptance.terms;
        }
        return this.#current.terms;
    }

    /** Once in a lifetime of tickets, by whoever comes first: a new key, and no more of the oldest. */
    #keepUp(): void {
        const { period, generation } = this.#keys;
        if (period === this.#period && generation === this.#generation) return;
        if (generation !== this.#generation) this.#accepted.clear();
        this.#period = period;
        this.#generation = generation;
        this.#current = this.#change();
    }

    /** The key of this period for new tickets, and that of the last one for those that are out. */
    #change(): Acceptance {
        const { now } = this.#keys;
        for (const [name, { until }] of this.#accepted) if (until <= now) this.#accepted.delete(name);
        this.#accept(this.#period - 1);
        return this.#accept(this.#period);
    }

    #accept(period: number): Acceptance {
        const key = this.#keys.derive(
            period,
            this.#hashes.map(({ sha256 }) => sha256),
        );
        return this.#accepted.get(key.name) ?? this.#keep(key, this.#served(), this.#keys.endOf(period));
    }

    /** Tickets from before are good for as long as they were said to be, with the certificates that their owners know. */
    #takeOver(previous: ServerIdentity): void {
        // A key of another secret is never accepted again.
        if (previous.#generation !== this.#generation) return;
        const { now, settings } = this.#keys;
        const end = now + settings.lifetime;
        const newestFirst = [...previous.#accepted.values()].toSorted((one, other) => other.until - one.until);
        for (const { key, shown, until } of newestFirst.filter((old) => now < old.until).slice(0, MAX_RETIRED)) {
            const isServed = this.#accepted.has(key.name);
            const replaced = shown.filter((one) => now < one.until && !this.#serves(one.hashes));
            const ending = replaced.map((one) => ({ ...one, until: Math.min(one.until, end) }));
            // What is served now may be shown with this key, too: to a client whose ticket turns out to be too old.
            this.#keep(key, [...this.#served(), ...ending], isServed ? until : Math.min(until, end));
        }
        this.#current = this.#accept(this.#period);
    }

    #served(): readonly ShownCertificate[] {
        return this.#hashes.map((hashes) => ({ hashes, until: Infinity }));
    }

    #serves({ sha256 }: CertificateHashes): boolean {
        return this.#hashes.some((served) => Buffer.compare(served.sha256, sha256) === 0);
    }

    #keep(key: TicketKey, shown: readonly ShownCertificate[], until: number): Acceptance {
        const acceptance = { key, shown, until, terms: this.#terms(key, shown) };
        this.#accepted.set(key.name, acceptance);
        return acceptance;
    }

    /** Without a key there are no tickets. */
    #terms(key: TicketKey | undefined, shown: readonly ShownCertificate[]): HandshakeTerms {
        const { minVersion, maxVersion, ciphers } = this.#tls;
        const context = createSecureContext({
            cert: this.#pairs.map((pair) => pair.certificate),
            key: this.#pairs.map((pair) => pair.key),
            minVersion,
            maxVersion,
            ciphers,
            // Also for signature algorithms: ECDSA wherever the client can.
            honorCipherOrder: true,
            sessionTimeout: Math.max(1, Math.floor(this.#keys.settings.lifetime / 1_000)),
            ...(key === undefined ? { secureOptions: constants.SSL_OP_NO_TICKET } : { ticketKeys: key.bytes }),
        });
        return { context, seenBy: (socket) => this.#seenBy(socket, shown) };
    }

    #seenBy(socket: TLSSocket, shown: readonly ShownCertificate[]): readonly CertificateHashes[] {
        if (socket.isSessionReused()) {
            const { now } = this.#keys;
            return shown.filter(({ until }) => now < until).map(({ hashes }) => hashes);
        }
        const served = socket.getX509Certificate()?.raw;
        return this.#hashes.filter((_, index) => served !== undefined && this.#pairs[index]?.leaf.raw.equals(served));
    }
}
