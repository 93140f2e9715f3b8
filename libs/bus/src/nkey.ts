// Credentials of one instance: an nkey, whose seed stays in a file of the instance and whose public key goes to the server.
import { readFile } from "node:fs/promises";
import { createUser, fromSeed } from "@nats-io/nkeys";
import { ConfigError } from "@postern/errors";

export interface Nkey {
    /** `SU…`: secret; belongs into a file of mode 0600. */
    readonly seed: string;
    /** `U…`: goes into the server's configuration. */
    readonly publicKey: string;
}

/** A new random nkey. */
export function createSeed(): Nkey {
    const pair = createUser();
    try {
        return { seed: new TextDecoder().decode(pair.getSeed()), publicKey: pair.getPublicKey() };
    } finally {
        pair.clear();
    }
}

/** The public key that belongs to `seed`. */
export function publicKeyOf(seed: string): string {
    return parse(new TextEncoder().encode(seed.trim()), "the seed").getPublicKey();
}

/** The seed in `file`, checked to be one. */
export async function readSeed(file: string): Promise<Uint8Array> {
    let text: string;
    try {
        text = await readFile(file, "utf8");
    } catch (cause) {
        throw new ConfigError("CONFIG_INVALID", `the nkey seed file ${file} cannot be read`, { cause });
    }
    const seed = new TextEncoder().encode(text.trim());
    parse(seed, file);
    return seed;
}

function parse(seed: Uint8Array, where: string): ReturnType<typeof fromSeed> {
    try {
        return fromSeed(seed);
    } catch (cause) {
        throw new ConfigError("CONFIG_INVALID", `${where} holds no nkey seed (a line that begins with SU)`, { cause });
    }
}
