// The other sessions of a user at an admission: who counts, who goes, and which addresses that leaves.
import type { AdmitQuestion } from "@postern/contracts";
import type { Replacement } from "./replacement.ts";
import type { Refusal, Sessions } from "./sessions.ts";
import type { Standing, Standings } from "./standing.ts";
import type { ListedSession } from "./users.ts";

export interface CompanyPorts {
    readonly sessions: Sessions;
    readonly standings: Standings;
    readonly replacement: Replacement;
    readonly limits: { readonly sessionsPerUser: number; readonly onLimit: "deny" | "replace" };
}

export interface Settled {
    /** Sessions that stay. */
    readonly kept: readonly ListedSession[];
    /** Addresses of those that went, the newest first. */
    readonly vacated: readonly string[];
}

interface Judged {
    readonly listed: ListedSession;
    readonly standing: Standing;
}

export class Company {
    readonly #ports: CompanyPorts;

    constructor(ports: CompanyPorts) {
        this.#ports = ports;
    }

    /** Makes room for one more session of the user, or says why there is none. */
    async settle(question: AdmitQuestion, listed: readonly ListedSession[]): Promise<Settled | Refusal> {
        const { standings, limits } = this.#ports;
        const { worker, workerEpoch, policy } = question;
        const limit = policy.maxSessions ?? limits.sessionsPerUser;
        const framed = listed.some(({ address }) => address !== undefined && address === policy.framedAddress);
        const asker = { worker, workerEpoch, atLimit: listed.length >= limit || framed };
        const judged = await Promise.all(
            listed.map(async (one) => ({ listed: one, standing: await standings.judge(one.session, asker) })),
        );
        const staying = judged.filter(({ standing }) => standing.kind !== "over").sort(byAge);
        const inTheWay = excess(staying, limit, policy.framedAddress);
        if (inTheWay.size > 0 && (policy.onLimit ?? limits.onLimit) === "deny") {
            return { reason: "user-limit", message: denial(limit, framed ? policy.framedAddress : undefined) };
        }
        await Promise.all([...inTheWay].map((one) => this.#remove(one)));
        const kept = staying.filter((one) => !inTheWay.has(one));
        return {
            kept: kept.map((one) => one.listed),
            vacated: addressesOf(judged.filter((one) => !kept.includes(one))),
        };
    }

    async #remove({ listed, standing }: Judged): Promise<void> {
        const { sessions, replacement } = this.#ports;
        if (standing.kind === "live") return replacement.replace(standing.record, standing.counters);
        const message = "another session of the same user took its place";
        const entry = await sessions.annul(listed.session, { reason: "user-limit", message });
        // Its admission was faster.
        if (entry.state === "admitted") await replacement.replace(entry, entry.counters);
    }
}

const byAge = (a: Judged, b: Judged): number => (a.listed.admittedAt < b.listed.admittedAt ? -1 : 1);

/** The oldest beyond the limit, and whoever has the address that only the new session may have. */
function excess(staying: readonly Judged[], limit: number, framed: string | undefined): Set<Judged> {
    const holders = staying.filter(({ listed }) => framed !== undefined && listed.address === framed);
    const others = staying.filter((one) => !holders.includes(one));
    const surplus = Math.max(0, others.length + 1 - limit);
    return new Set([...holders, ...others.slice(0, surplus)]);
}

function denial(limit: number, framed: string | undefined): string {
    if (framed !== undefined) return `another session of this user has the fixed address ${framed}`;
    return limit === 1 ? "the user has a session already" : `the user has ${limit} sessions already`;
}

const addressesOf = (judged: readonly Judged[]): string[] =>
    judged
        .toSorted(byAge)
        .toReversed()
        .flatMap(({ listed }) => (listed.address === undefined ? [] : [listed.address]));
