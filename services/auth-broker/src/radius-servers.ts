// RADIUS servers as postern.yaml names them, with what is in the files that it names.
import { readFile } from "node:fs/promises";
import type { AuthBrokerSection } from "@postern/config";
import { ConfigError } from "@postern/errors";
import type { ServerSettings, TlsSettings } from "@postern/radius-client";
import { readSecretFile } from "./secret-file.ts";

type RadiusBackendSettings = Extract<AuthBrokerSection["backends"][string], { kind: "radius" }>;
export type RadiusServerSettings = RadiusBackendSettings["servers"][number];

/** RFC 6614 §2.3 (8): it protects nothing, TLS does. */
const TLS_SECRET = Buffer.from("radsec");
/** More than any key in PEM, in bytes. */
const MAX_KEY_SIZE = 65_536;

/**
 * Reads secrets, certificates and keys; `silence`: milliseconds without a byte over a TLS connection, while an answer is owed, after
 * which it is given up.  Rejects with a ConfigError.
 */
export async function readRadiusServers(
    servers: readonly RadiusServerSettings[],
    silence: number,
): Promise<ServerSettings[]> {
    return Promise.all(
        servers.map(async ({ address, secretFile, tls, priority, weight }) => ({
            address: { ...address, ...(tls === undefined ? {} : { tls: await readTls(tls, silence) }) },
            secret: secretFile === undefined ? TLS_SECRET : await readSecretFile(secretFile),
            priority,
            weight,
        })),
    );
}

async function readTls(
    { caFile, certificateFile, keyFile, serverName }: NonNullable<RadiusServerSettings["tls"]>,
    silence: number,
): Promise<TlsSettings> {
    return {
        silence,
        ...(caFile === undefined ? {} : { ca: await readText(caFile) }),
        ...(certificateFile === undefined || keyFile === undefined
            ? {}
            : {
                  certificate: {
                      cert: await readText(certificateFile),
                      key: Buffer.from(await readSecretFile(keyFile, MAX_KEY_SIZE)).toString("latin1"),
                  },
              }),
        ...(serverName === undefined ? {} : { serverName }),
    };
}

async function readText(path: string): Promise<string> {
    try {
        return await readFile(path, "utf8");
    } catch (cause) {
        throw new ConfigError("CONFIG_INVALID", `${path} cannot be read: a file with certificates (PEM) is expected`, {
            cause,
        });
    }
}
