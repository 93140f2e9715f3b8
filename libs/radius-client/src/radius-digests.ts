// MD5 and HMAC-MD5 from the platform: RADIUS knows nothing better.
import { createHash, createHmac } from "node:crypto";
import type { RadiusDigests } from "@postern/radius";

export const radiusDigests: RadiusDigests = {
    md5(...parts) {
        const hash = createHash("md5");
        for (const part of parts) hash.update(part);
        return hash.digest();
    },
    hmacMd5: (key, data) => createHmac("md5", key).update(data).digest(),
};
