// Key files: one line, `<kind> <base64 of 32 bytes>`.  The kind keeps a public key from being used as a private one, and
// an accounts key as a sealing key.  Secret kinds are refused when anybody but the owner can read or write the file.
import { open as openFile, type FileHandle } from "node:fs/promises";
import { ConfigError } from "@postern/errors";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { KEY_SIZE } from "./key-pair.ts";

/** What a key file holds, as its first word. */
const KEY_KINDS = {
    "seal-private": { word: "postern-seal-private-v1", secret: true },
    "seal-public": { word: "postern-seal-public-v1", secret: false },
    accounts: { word: "postern-accounts-v1", secret: true },
    "tls-tickets": { word: "postern-tls-tickets-v1", secret: true },
} as const;
export type KeyKind = keyof typeof KEY_KINDS;

/** Far more than a key file needs: a wrong path may name anything. */
const MAX_FILE_SIZE = 1024;
const OTHERS = 0o077;

/** The one line of a key file. */
export const formatKey = (kind: KeyKind, key: Uint8Array): string => `${KEY_KINDS[kind].word} ${encodeBase64(key)}\n`;

/** The key in the text of a key file; `source` names the file in the error. */
export function parseKey(kind: KeyKind, text: string, source: string): Uint8Array {
    const { word } = KEY_KINDS[kind];
    const [found = "", base64 = "", ...rest] = text.trim().split(/\s+/);
    if (found !== word) throw new ConfigError("KEY_FILE_UNUSABLE", `${source} does not begin with "${word}"`);
    const key = decodeBase64(base64);
    if (key?.length !== KEY_SIZE || rest.length > 0) {
        throw new ConfigError("KEY_FILE_UNUSABLE", `${source} has no ${KEY_SIZE} bytes of base64 after "${word}"`);
    }
    return key;
}

/** Reads a key of `kind`.  ConfigError says what is wrong with the file and what to do about it. */
export async function readKeyFile(path: string, kind: KeyKind): Promise<Uint8Array> {
    const file = await openKeyFile(path, "r");
    try {
        const { mode, size } = await file.stat();
        if (KEY_KINDS[kind].secret && (mode & OTHERS) !== 0) {
            const permissions = (mode & 0o777).toString(8).padStart(4, "0");
            throw new ConfigError(
                "KEY_FILE_UNUSABLE",
                `${path} has permissions ${permissions}, others can use it: chmod 0600 it, or make a new key if they may have`,
            );
        }
        if (size > MAX_FILE_SIZE) throw new ConfigError("KEY_FILE_UNUSABLE", `${path} is too long to be a key file`);
        return parseKey(kind, await file.readFile("utf8"), path);
    } finally {
        await file.close();
    }
}

/** Writes a new key file, 0600 for secret kinds and 0644 for public keys; an existing file is never overwritten. */
export async function writeKeyFile(path: string, kind: KeyKind, key: Uint8Array): Promise<void> {
    const file = await openKeyFile(path, "wx", KEY_KINDS[kind].secret ? 0o600 : 0o644);
    try {
        await file.writeFile(formatKey(kind, key));
        await file.sync();
    } finally {
        await file.close();
    }
}

async function openKeyFile(path: string, flags: "r" | "wx", mode?: number): Promise<FileHandle> {
    try {
        return await openFile(path, flags, mode);
    } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new ConfigError("KEY_FILE_UNUSABLE", `${path}: ${why}`, { cause });
    }
}
