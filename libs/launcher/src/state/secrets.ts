// Keys and certificates of the embedded installation; each is made when its file is missing.
import { generateKeyPairSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createAuthority, issueServer, type Issued, type KeyType } from "@postern/pki";
import { formatKey, generateKeyPair, generateRecordKey } from "@postern/sealing";
import { exists, PUBLIC_MODE, SECRET_MODE, writeOnce, writeWhole } from "./files.ts";
import { FILES } from "./layout.ts";

export interface CertificateNames {
    readonly name: string;
    readonly addresses: readonly string[];
}

/** CA, RSA and ECDSA server certificates. */
export async function ensureCertificates(directory: string, { name, addresses }: CertificateNames): Promise<void> {
    const clock = { now: Date.now() };
    const at = (file: string): string => join(directory, file);
    await ensurePair(at(FILES.ca.certificate), at(FILES.ca.key), () => createAuthority(`postern CA ${name}`, clock));
    const authority = async (): Promise<Issued> => ({
        certificate: await readFile(at(FILES.ca.certificate), "utf8"),
        privateKey: await readFile(at(FILES.ca.key), "utf8"),
    });
    for (const key of ["rsa", "ecdsa"] as const satisfies readonly KeyType[]) {
        const request = { names: [name, "localhost"], addresses, key } as const;
        await ensurePair(at(FILES[key].certificate), at(FILES[key].key), async () =>
            issueServer(await authority(), request, clock),
        );
    }
}

/** The key is written first: a certificate that is there has its key. */
async function ensurePair(certificate: string, key: string, make: () => Promise<Issued>): Promise<void> {
    if (await exists(certificate)) return;
    const issued = await make();
    await writeWhole(key, issued.privateKey, SECRET_MODE);
    await writeWhole(certificate, issued.certificate, PUBLIC_MODE);
}

/** The brokers' key pair, the key of local accounts, the audit signing key, the secret of TLS tickets. */
export async function ensureKeys(directory: string): Promise<void> {
    const at = (file: string): string => join(directory, file);
    if (!(await exists(at(FILES.sealPublic)))) {
        const { publicKey, privateKey } = generateKeyPair();
        await writeWhole(at(FILES.sealKey), formatKey("seal-private", privateKey), SECRET_MODE);
        await writeWhole(at(FILES.sealPublic), formatKey("seal-public", publicKey), PUBLIC_MODE);
    }
    await writeOnce(at(FILES.accountsKey), SECRET_MODE, () => formatKey("accounts", generateRecordKey()));
    await writeOnce(at(FILES.ticketSecret), SECRET_MODE, () => formatKey("tls-tickets", generateRecordKey()));
    await writeOnce(at(FILES.auditKey), SECRET_MODE, () =>
        generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }),
    );
}
