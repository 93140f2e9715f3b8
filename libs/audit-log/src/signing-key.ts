// The key that signs checkpoints: Ed25519 (RFC 8032), PKCS #8 PEM, readable by its owner alone.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { ConfigError } from "@postern/errors";

export interface SigningKey {
    readonly privateKey: KeyObject;
    /** Names the key in checkpoints: the first 16 hex digits of the SHA-256 of the public key. */
    readonly id: string;
}

const OTHERS = 0o077;

/** A new private key as PEM; whoever stores it gives it mode 0600. */
export const createSigningKey = (): string =>
    generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" });

/** Reads a private key; `ConfigError` says what is wrong with the file. */
export function readSigningKey(file: string): SigningKey {
    const pem = readFile(file);
    if ((statSync(file).mode & OTHERS) !== 0) {
        throw new ConfigError(
            "KEY_FILE_UNUSABLE",
            `${file} can be read by others than its owner: chmod 0600 it, or make a new key if somebody may have`,
        );
    }
    const privateKey = ed25519(file, () => createPrivateKey(pem));
    return { privateKey, id: keyId(createPublicKey(privateKey)) };
}

/** The public key in a file that holds it, or the private one. */
export function readPublicKey(file: string): KeyObject {
    const pem = readFile(file);
    return ed25519(file, () => createPublicKey(pem));
}

export const keyId = (publicKey: KeyObject): string =>
    createHash("sha256")
        .update(publicKey.export({ format: "der", type: "spki" }))
        .digest("hex")
        .slice(0, 16);

function ed25519(file: string, parse: () => KeyObject): KeyObject {
    let cause: unknown;
    try {
        const key = parse();
        if (key.asymmetricKeyType === "ed25519") return key;
    } catch (error) {
        cause = error;
    }
    throw new ConfigError("KEY_FILE_UNUSABLE", `${file}: expected an Ed25519 key in PEM`, { cause });
}

function readFile(file: string): string {
    try {
        return readFileSync(file, "utf8");
    } catch (cause) {
        throw new ConfigError("KEY_FILE_UNUSABLE", `${file} cannot be read`, { cause });
    }
}
