// The secret that ticket keys are made from: a file that all workers have, or else a secret of this process alone.
import { randomBytes } from "node:crypto";
import { ConfigError } from "@postern/errors";
import { readKeyFile } from "@postern/sealing";
import type { Logger } from "@postern/telemetry";
import type { TicketKeys } from "./ticket-keys.ts";

const SIZE = 32;

/** Throws a `ConfigError` for a file that cannot be used; without one says once what that means. */
export async function readTicketSecret(path: string | undefined, log: Pick<Logger, "warn">): Promise<Uint8Array> {
    if (path !== undefined) return readKeyFile(path, "tls-tickets");
    log.warn(
        {},
        "without session-worker.tls.tickets.secret only this process, until it ends, resumes its TLS sessions",
    );
    return randomBytes(SIZE);
}

/**
 * Looks at the file now and then; a new secret ends all tickets of the old one.  A file that cannot be used is said once, and the
 * secret that was stays.  Returns how to stop looking.
 */
export function watchTicketSecret(
    path: string,
    keys: Pick<TicketKeys, "replaceSecret">,
    interval: number,
    log: Pick<Logger, "error" | "info">,
): () => void {
    let complaint: string | undefined;
    let looking = false;
    const look = async (): Promise<void> => {
        try {
            if (keys.replaceSecret(await readKeyFile(path, "tls-tickets")))
                log.info({}, "the secret of the TLS tickets was replaced: tickets made with the old one are void");
            complaint = undefined;
        } catch (error) {
            if (!(error instanceof ConfigError)) throw error;
            if (error.message === complaint) return;
            complaint = error.message;
            log.error({ error }, "the file with the secret of the TLS tickets is not usable; the old secret stays");
        }
    };
    const timer = setInterval(() => {
        // A slow disk must not let an old look come after a new one.
        if (looking) return;
        looking = true;
        look()
            .catch((error: unknown) => log.error({ error }, "the secret of the TLS tickets could not be looked at"))
            .finally(() => (looking = false));
    }, interval);
    return () => clearInterval(timer);
}
