// The certificates that this worker serves, and which of them a client may have bound to.
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { ConfigError } from "@postern/errors";

/** SHA-256 and SHA-1 of a certificate's DER: what CALL_CONNECTED may carry ([MS-SSTP] 2.2.6). */
export interface CertificateHashes {
    readonly sha256: Uint8Array;
    readonly sha1: Uint8Array;
}

/** Certificates for one name; `names` empty: also the default for clients that send no name or an unknown one. */
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

interface Identity {
    readonly names: readonly string[];
    readonly context: SecureContext;
    readonly hashes: readonly CertificateHashes[];
    readonly loaded: readonly LoadedCertificate[];
}

interface Retired {
    readonly identity: Identity;
    /** Monotonic milliseconds until which a session ticket may still bring back a client of it. */
    readonly until: number;
}

const hash = (algorithm: string, der: Uint8Array): Uint8Array => createHash(algorithm).update(der).digest();

export const hashesOf = (der: Uint8Array): CertificateHashes => ({
    sha256: hash("sha256", der),
    sha1: hash("sha1", der),
});

/** TLS 1.2 tickets live this long in Node unless configured; a client within it may resume what it saw before a rotation. */
export const TICKET_LIFE_MS = 7_200_000;

export class CertificateStore {
    readonly #files: readonly CertificateFiles[];
    readonly #tls: TlsOptions;
    readonly #now: () => number;
    #identities: readonly Identity[];
    #retired: readonly Retired[] = [];

    /** Reads every file; throws a `ConfigError` that names the file and what is wrong with it. */
    constructor(files: readonly CertificateFiles[], tls: TlsOptions, now: () => number) {
        this.#files = files;
        this.#tls = tls;
        this.#now = now;
        this.#identities = files.map((entry) => loadIdentity(entry, tls));
    }

    get loaded(): readonly LoadedCertificate[] {
        return this.#identities.flatMap((identity) => identity.loaded);
    }

    /** The context for a name in a ClientHello; the first one where the name is absent or nobody's. */
    contextFor(serverName: string | undefined): SecureContext {
        return this.#identityFor(serverName).context;
    }

    /**
     * Serves what the files hold now to new handshakes; live connections go on.  Throws and changes nothing when a file is bad.
     * Old hashes stay acceptable for as long as a ticket can bring a client back.
     */
    reload(): readonly LoadedCertificate[] {
        const fresh = this.#files.map((entry) => loadIdentity(entry, this.#tls));
        const until = this.#now() + TICKET_LIFE_MS;
        this.#retired = [
            ...this.#retired.filter((old) => old.until > this.#now()),
            ...this.#identities.map((identity) => ({ identity, until })),
        ];
        this.#identities = fresh;
        return this.loaded;
    }

    /**
     * The certificates that the peer of `socket` may have seen.  After a full handshake that is the one served; a resumed
     * session saw one of an earlier handshake, which TLS does not tell: any of that name within ticket life.
     */
    seenBy(socket: TLSSocket, serverName: string | undefined): readonly CertificateHashes[] {
        if (!socket.isSessionReused()) {
            const certificate = socket.getCertificate();
            if (certificate !== null && "raw" in certificate) return [hashesOf(certificate.raw)];
        }
        const current = this.#identityFor(serverName);
        const former = this.#retired.filter(
            ({ identity, until }) => until > this.#now() && identity.names.join() === current.names.join(),
        );
        return [...current.hashes, ...former.flatMap(({ identity }) => identity.hashes)];
    }

    #identityFor(serverName: string | undefined): Identity {
        const wanted = serverName?.toLowerCase();
        const named = this.#identities.find(
            ({ names }) => wanted !== undefined && names.some((name) => matches(name, wanted)),
        );
        const chosen = named ?? this.#identities[0];
        if (chosen === undefined)
            throw new ConfigError(
                "CONFIG_INVALID",
                "session-worker.tls.certificates: at least one certificate is needed",
            );
        return chosen;
    }
}

/** `*.example.com` stands for one label (RFC 6125 §6.4.3). */
function matches(pattern: string, name: string): boolean {
    if (!pattern.startsWith("*.")) return pattern === name;
    const dot = name.indexOf(".");
    return dot > 0 && name.slice(dot) === pattern.slice(1);
}

function loadIdentity(files: CertificateFiles, tls: TlsOptions): Identity {
    const pairs = files.pairs.map((pair) => {
        const certificate = readFile(pair.certificate);
        const key = readFile(pair.key);
        return { certificate, key, leaf: parseLeaf(pair.certificate, certificate), file: pair.certificate };
    });
    let context: SecureContext;
    try {
        context = createSecureContext({
            cert: pairs.map((pair) => pair.certificate),
            key: pairs.map((pair) => pair.key),
            minVersion: tls.minVersion,
            maxVersion: tls.maxVersion,
            ciphers: tls.ciphers,
            honorCipherOrder: true,
        });
    } catch (error) {
        const names = files.pairs.map((pair) => `${pair.certificate} + ${pair.key}`).join(", ");
        throw new ConfigError("TLS_CERTIFICATE", `${names}: expected a certificate and the key it was made for`, {
            cause: error,
        });
    }
    const names = files.names.length > 0 ? files.names : namesOf(pairs[0]?.leaf);
    return {
        names: names.map((name) => name.toLowerCase()),
        context,
        hashes: pairs.map((pair) => hashesOf(pair.leaf.raw)),
        loaded: pairs.map(({ leaf }) => ({
            names: namesOf(leaf),
            sha256: createHash("sha256").update(leaf.raw).digest("hex"),
            algorithm: leaf.publicKey.asymmetricKeyType ?? "unknown",
            notAfter: leaf.validToDate,
        })),
    };
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
