// MD4, RFC 1320.  Broken as a hash and kept for one use: the NT hash of a password (RFC 2759 §8.3).

const BLOCK_SIZE = 64;
const LENGTH_SIZE = 8;

/** The 16-byte digest of `message`. */
export function md4(message: Uint8Array): Uint8Array {
    const padded = pad(message);
    const view = new DataView(padded.buffer);
    const state = new Int32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]);
    const words = new Int32Array(BLOCK_SIZE / 4);
    for (let at = 0; at < padded.length; at += BLOCK_SIZE) {
        for (let index = 0; index < words.length; index += 1) words[index] = view.getInt32(at + index * 4, true);
        compress(state, words);
    }
    const digest = new DataView(new ArrayBuffer(16));
    state.forEach((word, index) => digest.setInt32(index * 4, word, true));
    return new Uint8Array(digest.buffer);
}

/** RFC 1320 §3.1 and §3.2: one bit, zeros, and the length in bits as 64 bits, little-endian. */
function pad(message: Uint8Array): Uint8Array<ArrayBuffer> {
    const blocks = Math.ceil((message.length + 1 + LENGTH_SIZE) / BLOCK_SIZE);
    const padded = new Uint8Array(blocks * BLOCK_SIZE);
    padded.set(message);
    padded[message.length] = 0x80;
    new DataView(padded.buffer).setBigUint64(padded.length - LENGTH_SIZE, BigInt(message.length) * 8n, true);
    return padded;
}

type Mix = (x: number, y: number, z: number) => number;

interface Round {
    readonly mix: Mix;
    readonly constant: number;
    readonly words: readonly number[];
    readonly shifts: readonly number[];
}

/** RFC 1320 §3.4: the functions F, G and H, the order of the words and the shifts of each round. */
const ROUNDS: readonly Round[] = [
    {
        mix: (x, y, z) => (x & y) | (~x & z),
        constant: 0,
        words: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        shifts: [3, 7, 11, 19],
    },
    {
        mix: (x, y, z) => (x & y) | (x & z) | (y & z),
        constant: 0x5a827999,
        words: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
        shifts: [3, 5, 9, 13],
    },
    {
        mix: (x, y, z) => x ^ y ^ z,
        constant: 0x6ed9eba1,
        words: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
        shifts: [3, 9, 11, 15],
    },
];

function compress(state: Int32Array, words: Int32Array): void {
    let [a = 0, b = 0, c = 0, d = 0] = state;
    for (const { mix, constant, words: order, shifts } of ROUNDS) {
        order.forEach((word, step) => {
            const sum = (a + mix(b, c, d) + (words[word] ?? 0) + constant) | 0;
            const shift = shifts[step % 4] ?? 0;
            [a, d, c, b] = [d, c, b, (sum << shift) | (sum >>> (32 - shift))];
        });
    }
    [a, b, c, d].forEach((word, index) => {
        state[index] = (state[index] ?? 0) + word;
    });
}
