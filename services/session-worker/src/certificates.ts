// The certificates that this worker serves: read from their files, and read again when those change.
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { ConfigError } from "@postern/errors";
import { type CertificatePair, ServerIdentity, type TlsOptions } from "./server-identity.ts";
import type { TicketKeys } from "./ticket-keys.ts";

/** Certificates for one name; `names` empty: those that the certificate itself has. */
export interface CertificateFiles {
    readonly names: readonly string[];
    /** RSA and ECDSA side by side: TLS takes what the client can. */
    readonly pairs: readonly { readonly certificate: string; readonly key: string }[];
}

export interface LoadedCertificate {
    readonly names: readonly string[];
    readonly sha256: string;
    readonly algorithm: string;
    readonly notAfter: Date;
}

/** What is served for one entry of the configuration, as it was when its files were read. */
interface Entry {
    readonly identity: ServerIdentity;
    readonly loaded: readonly LoadedCertificate[];
}

export class CertificateStore {
    readonly #files: readonly CertificateFiles[];
    readonly #tls: TlsOptions;
    readonly #keys: TicketKeys;
    #fingerprint: string;
    #entries: readonly Entry[];

    /** Reads every file; throws a `ConfigError` that names the file and what is wrong with it. */
    constructor(files: readonly CertificateFiles[], tls: TlsOptions, keys: TicketKeys) {
        if (files.length === 0)
            throw new ConfigError(
                "CONFIG_INVALID",
                "session-worker.tls.certificates: at least one certificate is needed",
            );
        this.#files = files;
        this.#tls = tls;
        this.#keys = keys;
        this.#fingerprint = fingerprintOf(files);
        this.#entries = files.map((entry) => this.#load(entry));
    }

    get loaded(): readonly LoadedCertificate[] {
        return this.#entries.flatMap(({ loaded }) => loaded);
    }

    /** What is served to a client that sent this name; the first entry where the name is absent or nobody's. */
    identityFor(serverName: string | undefined): ServerIdentity {
        const wanted = serverName?.toLowerCase();
        const named = this.#entries.find(
            ({ identity }) => wanted !== undefined && identity.names.some((name) => matches(name, wanted)),
        );
        const chosen = named ?? this.#entries[0];
        if (chosen === undefined) throw new ConfigError("CONFIG_INVALID", "no certificate is configured");
        return chosen.identity;
    }

    /**
     * Serves what the files hold now, if they have changed, to new handshakes; live connections go on.  `undefined`: they have
     * not.  Throws, once for each change, and goes on with what it has when a file is bad.
     */
    reload(): readonly LoadedCertificate[] | undefined {
        const fingerprint = fingerprintOf(this.#files);
        if (fingerprint === this.#fingerprint) return undefined;
        this.#fingerprint = fingerprint;
        this.#entries = this.#files.map((entry, index) => this.#load(entry, this.#entries[index]?.identity));
        return this.loaded;
    }

    #load(files: CertificateFiles, previous?: ServerIdentity): Entry {
        const pairs = files.pairs.map((pair) => readPair(pair));
        const names = files.names.length > 0 ? files.names : namesOf(pairs[0]?.leaf);
        const loaded = pairs.map(({ leaf }) => ({
            names: namesOf(leaf),
            sha256: createHash("sha256").update(leaf.raw).digest("hex"),
            algorithm: leaf.publicKey.asymmetricKeyType ?? "unknown",
            notAfter: leaf.validToDate,
        }));
        const lowerCase = names.map((name) => name.toLowerCase());
        try {
            return { loaded, identity: new ServerIdentity(lowerCase, pairs, this.#tls, this.#keys, previous) };
        } catch (error) {
            const paths = files.pairs.map((pair) => `${pair.certificate} + ${pair.key}`).join(", ");
            throw new ConfigError("TLS_CERTIFICATE", `${paths}: expected a certificate and the key it was made for`, {
                cause: error,
            });
        }
    }
}

/** Modification times and inodes: a renewal that is put in place by renaming keeps neither. */
function fingerprintOf(files: readonly CertificateFiles[]): string {
    const paths = files.flatMap(({ pairs }) => pairs.flatMap(({ certificate, key }) => [certificate, key]));
    const stats = paths.map((path) => statSync(path, { throwIfNoEntry: false }));
    return stats.map((stat) => (stat === undefined ? "missing" : `${stat.ino}:${stat.mtimeMs}:${stat.size}`)).join();
}

/** `*.example.com` stands for one label (RFC 6125 §6.4.3). */
function matches(pattern: string, name: string): boolean {
    if (!pattern.startsWith("*.")) return pattern === name;
    const dot = name.indexOf(".");
    return dot > 0 && name.slice(dot) === pattern.slice(1);
}

function readPair(pair: CertificateFiles["pairs"][number]): CertificatePair {
    const certificate = readFile(pair.certificate);
    const key = readFile(pair.key);
    return { certificate, key, leaf: parseLeaf(pair.certificate, certificate) };
}

function namesOf(leaf: X509Certificate | undefined): readonly string[] {
    const names = (leaf?.subjectAltName ?? "").split(", ").filter((name) => name.startsWith("DNS:"));
    return names.map((name) => name.slice("DNS:".length));
}

function readFile(file: string): Buffer {
    try {
        return readFileSync(file);
    } catch (error) {
        throw new ConfigError("TLS_CERTIFICATE", `${file}: cannot be read; expected PEM`, { cause: error });
    }
}

function parseLeaf(file: string, pem: Buffer): X509Certificate {
    try {
        return new X509Certificate(pem);
    } catch (error) {
        throw new ConfigError("TLS_CERTIFICATE", `${file}: expected a PEM certificate, the server's own first`, {
            cause: error,
        });
    }
}
