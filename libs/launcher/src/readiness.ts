// Asking the admin listeners whether the services do their work.
import type { ListenAddress } from "@postern/config";

const TIMEOUT = 2_000;

/** Why a service is not ready, in its own words; `undefined`: it is. */
export async function whyNotReady(admin: ListenAddress): Promise<string | undefined> {
    try {
        const answer = await fetch(`${adminUrl(admin)}/readyz`, { signal: AbortSignal.timeout(TIMEOUT) });
        if (answer.ok) {
            await answer.body?.cancel();
            return undefined;
        }
        const body: unknown = await answer.json();
        return typeof body === "object" && body !== null && "reason" in body
            ? String(body.reason)
            : `HTTP ${answer.status}`;
    } catch (error) {
        const cause = error instanceof Error ? error.cause : undefined;
        return cause instanceof Error && "code" in cause ? "does not answer yet" : "does not answer";
    }
}

export const adminUrl = ({ host, port }: ListenAddress): string =>
    `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
