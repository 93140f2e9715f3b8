// The certificates that this worker serves, and which of them a client has been shown.
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { ConfigError } from "@postern/errors";

/** SHA-256 and SHA-1 of a certificate's DER: what CALL_CONNECTED may carry ([MS-SSTP] 2.2.6). */
export interface CertificateHashes {
    readonly sha256: Uint8Array;
    readonly sha1: Uint8Array;
}

/** Certificates for one name; `names` empty: those that the certificate itself has. */
export interface CertificateFiles {
    readonly names: readonly string[];
    /** RSA and ECDSA side by side: TLS takes what the client can. */
    readonly pairs: readonly { readonly certificate: string; readonly key: string }[];
}

export interface TlsOptions {
    readonly minVersion: "TLSv1.2" | "TLSv1.3";
    readonly maxVersion: "TLSv1.2" | "TLSv1.3";
    readonly ciphers: string;
}

export interface LoadedCertificate {
    readonly names: readonly string[];
    readonly sha256: string;
    readonly algorithm: string;
    readonly notAfter: Date;
}

/** What is served for one name, as it was when its files were read. */
export interface ServerIdentity {
    readonly names: readonly string[];
    readonly context: SecureContext;
    readonly loaded: readonly LoadedCertificate[];
    /**
     * The certificates that the peer of `socket`, which shook hands with `context`, may have been shown.  After a full handshake
     * that is the one served.  Of a resumed session TLS does not say which of the pairs it was; no other context's tickets can be
     * resumed with this one, because each has ticket keys of its own.
     */
    seenBy(socket: TLSSocket): readonly CertificateHashes[];
}

const hash = (algorithm: string, der: Uint8Array): Uint8Array => createHash(algorithm).update(der).digest();

export const hashesOf = (der: Uint8Array): CertificateHashes => ({
    sha256: hash("sha256", der),
    sha1: hash("sha1", der),
});

export class CertificateStore {
    readonly #files: readonly CertificateFiles[];
    readonly #tls: TlsOptions;
    #fingerprint: string;
    #identities: readonly ServerIdentity[];

    /** Reads every file; throws a `ConfigError` that names the file and what is wrong with it. */
    constructor(files: readonly CertificateFiles[], tls: TlsOptions) {
        if (files.length === 0)
            throw new ConfigError(
                "CONFIG_INVALID",
                "session-worker.tls.certificates: at least one certificate is needed",
            );
        this.#files = files;
        this.#tls = tls;
        this.#fingerprint = fingerprintOf(files);
        this.#identities = files.map((entry) => loadIdentity(entry, tls));
    }

    get loaded(): readonly LoadedCertificate[] {
        return this.#identities.flatMap((identity) => identity.loaded);
    }

    /** What is served to a client that sent this name; the first entry where the name is absent or nobody's. */
    identityFor(serverName: string | undefined): ServerIdentity {
        const wanted = serverName?.toLowerCase();
        const named = this.#identities.find(
            ({ names }) => wanted !== undefined && names.some((name) => matches(name, wanted)),
        );
        const chosen = named ?? this.#identities[0];
        if (chosen === undefined) throw new ConfigError("CONFIG_INVALID", "no certificate is configured");
        return chosen;
    }

    /**
     * Serves what the files hold now, if they have changed, to new handshakes; live connections go on.  `undefined`: they have
     * not.  Throws, once for each change, and goes on with what it has when a file is bad.
     */
    reload(): readonly LoadedCertificate[] | undefined {
        const fingerprint = fingerprintOf(this.#files);
        if (fingerprint === this.#fingerprint) return undefined;
        this.#fingerprint = fingerprint;
        this.#identities = this.#files.map((entry) => loadIdentity(entry, this.#tls));
        return this.loaded;
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

function loadIdentity(files: CertificateFiles, tls: TlsOptions): ServerIdentity {
    const pairs = files.pairs.map((pair) => {
        const certificate = readFile(pair.certificate);
        const key = readFile(pair.key);
        return { certificate, key, leaf: parseLeaf(pair.certificate, certificate) };
    });
    const hashes = pairs.map(({ leaf }) => hashesOf(leaf.raw));
    const names = files.names.length > 0 ? files.names : namesOf(pairs[0]?.leaf);
    return {
        names: names.map((name) => name.toLowerCase()),
        context: createContext(files, pairs, tls),
        loaded: pairs.map(({ leaf }) => ({
            names: namesOf(leaf),
            sha256: createHash("sha256").update(leaf.raw).digest("hex"),
            algorithm: leaf.publicKey.asymmetricKeyType ?? "unknown",
            notAfter: leaf.validToDate,
        })),
        seenBy(socket) {
            const shown = socket.isSessionReused() ? undefined : socket.getX509Certificate();
            return hashes.filter((_, index) => shown === undefined || pairs[index]?.leaf.raw.equals(shown.raw));
        },
    };
}

function createContext(
    files: CertificateFiles,
    pairs: readonly { readonly certificate: Buffer; readonly key: Buffer }[],
    { minVersion, maxVersion, ciphers }: TlsOptions,
): SecureContext {
    try {
        return createSecureContext({
            cert: pairs.map((pair) => pair.certificate),
            key: pairs.map((pair) => pair.key),
            minVersion,
            maxVersion,
            ciphers,
            honorCipherOrder: true,
        });
    } catch (error) {
        const names = files.pairs.map((pair) => `${pair.certificate} + ${pair.key}`).join(", ");
        throw new ConfigError("TLS_CERTIFICATE", `${names}: expected a certificate and the key it was made for`, {
            cause: error,
        });
    }
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
