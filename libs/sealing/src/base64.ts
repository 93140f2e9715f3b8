// Base64 with exactly one spelling per byte string, so that no bit of a sealed message can change unnoticed.

export const encodeBase64 = (bytes: Uint8Array): string =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");

/** The bytes that `text` spells, or `undefined` where `encodeBase64` would have spelled them in another way. */
export function decodeBase64(text: string): Uint8Array | undefined {
    const bytes = Buffer.from(text, "base64");
    return bytes.toString("base64") === text ? new Uint8Array(bytes) : undefined;
}
