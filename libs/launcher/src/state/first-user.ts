// The first user: made once, so that somebody can dial in right after the first start.
import { generatePassword } from "@postern/accounts";
import { ConfigError } from "@postern/errors";
import { readIfThere, SECRET_MODE, writeWhole } from "./files.ts";

export interface FirstUser {
    readonly user: string;
    readonly password: string;
    /** Made just now: the bus does not know the password yet. */
    readonly fresh: boolean;
}

const NAME = "demo";

export async function ensureFirstUser(path: string): Promise<FirstUser> {
    const text = await readIfThere(path);
    if (text !== undefined) return { ...parse(text, path), fresh: false };
    const password = generatePassword();
    await writeWhole(path, `${JSON.stringify({ user: NAME, password })}\n`, SECRET_MODE);
    return { user: NAME, password, fresh: true };
}

function parse(text: string, path: string): { user: string; password: string } {
    const bad = new ConfigError(
        "CONFIG_INVALID",
        `${path} does not hold a user and a password; remove it to get new ones`,
    );
    let value: unknown;
    try {
        value = JSON.parse(text);
    } catch {
        throw bad;
    }
    if (typeof value !== "object" || value === null || !("user" in value) || !("password" in value)) throw bad;
    const { user, password } = value;
    if (typeof user !== "string" || typeof password !== "string") throw bad;
    return { user, password };
}
