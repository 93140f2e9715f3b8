// Names under which a secret could reach a log line.  Logged fields are flat or one level deep, so two levels are covered.
// pino's own redaction reads its list of paths again for each line, which takes ten times as long as writing it.

const SECRET_FIELDS: ReadonlySet<string> = new Set([
    "authenticatorResponse",
    "challenge",
    "ciphertext",
    "compoundMac",
    "credentials",
    "hlak",
    "mppeKey",
    "nonce",
    "ntHash",
    "password",
    "passwordHash",
    "privateKey",
    "response",
    "secret",
    "sealKey",
    "seed",
    "sharedSecret",
    "ticketKeys",
    "token",
]);

export const REDACTED = "[redacted]";

/** How deep fields are looked into. */
const LEVELS = 2;

/**
 * `fields` without what is secret: in itself, in its objects, and in their objects.  It is the same object where there was
 * nothing to take out.  Errors at the top are left to their serializer.
 */
export function redact(fields: object, levels = LEVELS): object {
    let copy: Record<string, unknown> | undefined;
    for (const [name, value] of Object.entries(fields)) {
        const shown = SECRET_FIELDS.has(name) ? REDACTED : within(value, levels);
        if (shown === value) continue;
        copy ??= { ...fields };
        copy[name] = shown;
    }
    return copy ?? fields;
}

function within(value: unknown, levels: number): unknown {
    if (levels === 0 || typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
    if (value instanceof Error && levels === LEVELS) return value;
    if (!Array.isArray(value)) return redact(value, levels - 1);
    const parts = value.map((part) => within(part, levels - 1));
    return parts.some((part, index) => part !== value[index]) ? parts : value;
}
