// MD5 for CHAP, SHA-1 and DES for MS-CHAPv2, from the platform.
import { createCipheriv, createHash } from "node:crypto";
import type { ChapDigests, Digests } from "@postern/ppp";

export const digests: Digests & ChapDigests = {
    md5: (data) => createHash("md5").update(data).digest(),
    sha1: (data) => createHash("sha1").update(data).digest(),
    desEncrypt(key, block) {
        // OpenSSL 3 has single DES only as triple DES with three equal keys.
        const cipher = createCipheriv("des-ede3-ecb", Buffer.concat([key, key, key]), null).setAutoPadding(false);
        return Buffer.concat([cipher.update(block), cipher.final()]);
    },
};
