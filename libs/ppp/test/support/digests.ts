// The port that callers fill from node:crypto, as they fill it.
import { createCipheriv, createHash } from "node:crypto";
import { concatBytes } from "@postern/bytes";
import type { ChapDigests, Digests } from "@postern/ppp";

export const DIGESTS: Digests & ChapDigests = {
    md5: (data) => new Uint8Array(createHash("md5").update(data).digest()),
    sha1: (data) => new Uint8Array(createHash("sha1").update(data).digest()),
    desEncrypt: (key, block) => {
        // OpenSSL 3 has single DES in its legacy provider only; triple DES with one key three times is the same.
        const cipher = createCipheriv("des-ede3-ecb", concatBytes(key, key, key), null);
        cipher.setAutoPadding(false);
        return new Uint8Array(cipher.update(block));
    },
};
