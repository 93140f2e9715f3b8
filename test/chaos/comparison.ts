// The three accounts side by side: what the clients saw, what `postern sessions` says, what the audit log says.
import type { AuditAccount } from "../e2e/audit-account.ts";
import type { ClientAccount } from "./population.ts";

export interface ListedSession {
    readonly session: string;
    readonly principal: string;
    readonly worker: string;
    readonly address: string;
    readonly client: { readonly address: string; readonly port: number };
}

export interface Comparison {
    /** Facts that somebody must have recorded and nobody has. */
    readonly missing: readonly string[];
    /** Facts that are recorded more than once. */
    readonly doubled: readonly string[];
    /** Who is connected, by the one account and not by another; settles by itself within seconds. */
    readonly disagreements: readonly string[];
}

export function compare(
    clients: readonly ClientAccount[],
    listed: readonly ListedSession[],
    audit: AuditAccount,
): Comparison {
    const missing: string[] = [];
    const doubled = [...audit.doubled];
    const disagreements: string[] = [];
    const begun = new Map<string, number>();
    const live = new Map<string, string[]>();
    for (const { session, source, started, ends } of audit.sessions) {
        begun.set(source, (begun.get(source) ?? 0) + Math.min(started, 1));
        if (started > 1) doubled.push(`${session}: ${started} beginnings`);
        if (ends.length > 1) doubled.push(`${session}: ended as ${ends.map(({ reason }) => reason).join(" and ")}`);
        if (started > 0 && ends.length === 0) live.set(source, [...(live.get(source) ?? []), session]);
    }
    for (const { source, lives, failures } of clients) {
        const audited = begun.get(source) ?? 0;
        const opened = lives.length;
        if (audited < opened) missing.push(`${source}: ${opened} sessions seen by the client, ${audited} in the log`);
        if (audited > opened + failures) doubled.push(`${source}: ${audited} beginnings, ${opened} sessions`);
        const now = lives.at(-1);
        const isLive = now !== undefined && now.ended === undefined;
        const rows = listed.filter(({ client }) => client.address === source);
        const has = { client: isLive ? 1 : 0, registry: rows.length, log: live.get(source)?.length ?? 0 };
        if (has.client !== has.registry || has.client !== has.log) {
            disagreements.push(`${source}: ${JSON.stringify(has)}`);
        } else if (isLive && rows[0]?.address !== now.address) {
            disagreements.push(`${source}: has ${now.address}, the registry says ${rows[0]?.address}`);
        }
    }
    const holders = Map.groupBy(listed, ({ address }) => address);
    for (const [address, rows] of holders) if (rows.length > 1) doubled.push(`${address} is held ${rows.length} times`);
    return { missing, doubled, disagreements };
}
