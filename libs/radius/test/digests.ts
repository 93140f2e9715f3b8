import { createHash, createHmac } from "node:crypto";
import type { RadiusDigests } from "@postern/radius";

export const digests: RadiusDigests = {
    md5: (...parts) => {
        const hash = createHash("md5");
        for (const part of parts) hash.update(part);
        return hash.digest();
    },
    hmacMd5: (key, data) => createHmac("md5", key).update(data).digest(),
};
