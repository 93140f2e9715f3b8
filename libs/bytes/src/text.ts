// Text and bytes without TextEncoder, which is the platform's and not the language's.

/** UTF-8; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
    const out: number[] = [];
    for (const character of text.toWellFormed()) {
        const point = character.codePointAt(0) ?? 0;
        if (point < 0x80) out.push(point);
        else if (point < 0x800) out.push(0xc0 | (point >> 6), continuation(point, 0));
        else if (point < 0x1_0000) out.push(0xe0 | (point >> 12), continuation(point, 6), continuation(point, 0));
        else out.push(0xf0 | (point >> 18), continuation(point, 12), continuation(point, 6), continuation(point, 0));
    }
    return Uint8Array.from(out);
}

const continuation = (point: number, shift: number): number => 0x80 | ((point >> shift) & 0x3f);

const REPLACEMENT = "\uFFFD";

/** UTF-8; every byte that does not belong to a well-formed character becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
    let text = "";
    let at = 0;
    while (at < bytes.length) {
        const { point, size } = decodeCharacter(bytes, at);
        text += point === undefined ? REPLACEMENT : String.fromCodePoint(point);
        at += size;
    }
    return text;
}

function decodeCharacter(bytes: Uint8Array, at: number): { point: number | undefined; size: number } {
    const first = bytes[at] ?? 0;
    if (first < 0x80) return { point: first, size: 1 };
    const size =
        first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xc2 && first < 0xe0 ? 2 : 0;
    if (size === 0 || at + size > bytes.length) return { point: undefined, size: 1 };
    let point = first & (0xff >> (size + 1));
    for (let next = at + 1; next < at + size; next += 1) {
        const byte = bytes[next] ?? 0;
        if ((byte & 0xc0) !== 0x80) return { point: undefined, size: 1 };
        point = (point << 6) | (byte & 0x3f);
    }
    const smallest = size === 4 ? 0x1_0000 : size === 3 ? 0x800 : 0x80;
    const wellFormed = point >= smallest && point <= 0x10_ffff && (point < 0xd800 || point > 0xdfff);
    return wellFormed ? { point, size } : { point: undefined, size: 1 };
}

/** UTF-16 little-endian without a byte-order mark: what NT hashes are made of (RFC 2759 §8.3). */
export function encodeUtf16Le(text: string): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(text.length * 2);
    for (let at = 0; at < text.length; at += 1) {
        const unit = text.charCodeAt(at);
        out[at * 2] = unit;
        out[at * 2 + 1] = unit >>> 8;
    }
    return out;
}

/** One byte a character; characters above U+00FF become `?`. */
export function encodeLatin1(text: string): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(text, (character) => {
        const code = character.codePointAt(0) ?? 0;
        return code > 0xff ? 0x3f : code;
    });
}

/** One character a byte: the same bytes again from `encodeLatin1`. */
export function decodeLatin1(bytes: Uint8Array): string {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return text;
}
