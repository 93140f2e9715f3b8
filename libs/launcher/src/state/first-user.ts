// The first user: made once, so that somebody can dial in right after the first start.  Who removes it, has it removed.
import { generatePassword } from "@postern/accounts";
import { ConfigError } from "@postern/errors";
import { readIfThere, SECRET_MODE, writeWhole } from "./files.ts";

export interface FirstUser {
    readonly user: string;
    readonly password: string;
    /** The bus has had the user; until then every start adds it. */
    readonly added: boolean;
}

const NAME = "demo";

/** What `path` holds, or a new user there. */
export async function ensureFirstUser(path: string): Promise<FirstUser> {
    const text = await readIfThere(path);
    if (text !== undefined) return parse(text, path);
    const made = { user: NAME, password: generatePassword(), added: false };
    await write(path, made);
    return made;
}

export const markAdded = (path: string, user: FirstUser): Promise<void> => write(path, { ...user, added: true });

/** Written before the user is added: the password is known here, whatever happens in between. */
const write = (path: string, user: FirstUser): Promise<void> =>
    writeWhole(path, `${JSON.stringify(user)}\n`, SECRET_MODE);

function parse(text: string, path: string): FirstUser {
    const bad = new ConfigError("CONFIG_INVALID", `${path} does not hold a user; remove it to get a new one`);
    try {
        const value: unknown = JSON.parse(text);
        if (isFirstUser(value)) return value;
    } catch {
        throw bad;
    }
    throw bad;
}

function isFirstUser(value: unknown): value is FirstUser {
    if (typeof value !== "object" || value === null) return false;
    if (!("user" in value && "password" in value && "added" in value)) return false;
    const { user, password, added } = value;
    return typeof user === "string" && typeof password === "string" && typeof added === "boolean";
}
