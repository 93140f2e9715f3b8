// Session ids: 80 random bits as 16 letters and digits, unique without asking anybody.
import { randomBytes } from "node:crypto";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** Without i, l, o and u, so that people can read them to one another. */
export function createSessionId(): string {
    return Array.from(randomBytes(16), (byte) => ALPHABET[byte & 31]).join("");
}
