// Names under which a secret could reach a log line.  Logged fields are flat or one level deep, so two levels are covered.

const SECRET_FIELDS = [
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
] as const;

/** pino redaction paths: each field at the top, in one object, and in an object of an object. */
export const REDACTED_PATHS: readonly string[] = SECRET_FIELDS.flatMap((field) => [
    field,
    `*.${field}`,
    `*.*.${field}`,
]);

export const REDACTED = "[redacted]";
