// Clients as they are in life: each has a user and a source address of its own, sends traffic, and dials again when its session ends.
// What each of them saw is the first of the three accounts that are compared.
import { setTimeout as delay } from "node:timers/promises";
import { DialError, SstpClient, type SstpClientOptions } from "@postern/sstp-client";
import { DependencyError } from "@postern/errors";
import { waitForValue } from "@postern/testkit";
import { PingRound } from "./ping-round.ts";

/** Milliseconds between two pings of one client. */
const PING_EVERY = 1_000;
const PING_TIMEOUT = 4_000;
/** Milliseconds before a client dials again: between one and two of these, so that clients of a dead worker do not come as one. */
const REDIAL = 500;
const DIAL_TIMEOUT = 15_000;
const CALM_POLL = 1_000;
/** Of a timer, and of any test. */
const LONGEST_LIFE = 86_400_000;

/** One session, as its client saw it. */
interface Life {
    readonly openedAt: number;
    readonly address: string;
    ended?: { readonly at: number; readonly reason: string; readonly asked: boolean };
}

/** What one client has seen. */
export interface ClientAccount {
    /** Its source address, which no other client has. */
    readonly source: string;
    readonly lives: Life[];
    /** Dials that failed, of which the server may have seen a session open that its client never did. */
    failures: number;
    /** Why its last sessions ended, or did not begin, without its asking. */
    readonly troubles: { readonly at: number; readonly what: string }[];
}

interface Pings {
    sent: number;
    /** Milliseconds. */
    readonly roundTrips: number[];
    /** Requests without a reply in time. */
    unanswered: number;
}

const noPings = (): Pings => ({ sent: 0, roundTrips: [], unanswered: 0 });

export interface PopulationOptions {
    readonly size: number;
    /** Dials begun per second at the start. */
    readonly rate: number;
    /** All that a client needs but its source address. */
    readonly options: (index: number) => SstpClientOptions;
    /** Milliseconds after which a client hangs up and dials again, on average; default never. */
    readonly meanLife?: number;
    /** Further options that depend on the source address. */
    readonly fromSource?: (source: string) => Partial<SstpClientOptions>;
}

interface Member extends ClientAccount {
    readonly index: number;
    client: SstpClient | undefined;
    /** It has said goodbye, and its session is not over yet. */
    isLeaving: boolean;
}

export class Population implements AsyncDisposable {
    readonly #options: PopulationOptions;
    readonly #members: readonly Member[];
    readonly #stopping = new AbortController();
    #running: Promise<unknown> = Promise.resolve();
    /** Nobody hangs up for the time being. */
    isCalm = false;
    #pings = noPings();
    readonly #round = new PingRound(PING_EVERY);

    constructor(options: PopulationOptions) {
        this.#options = options;
        this.#members = Array.from({ length: options.size }, (_, index) => ({
            index,
            source: sourceOf(index),
            lives: [],
            failures: 0,
            troubles: [],
            client: undefined,
            isLeaving: false,
        }));
    }

    get accounts(): readonly ClientAccount[] {
        return this.#members;
    }

    /** Source addresses of the clients that are connected now. */
    get connected(): string[] {
        return this.#members.filter(({ client }) => client !== undefined).map(({ source }) => source);
    }

    /** Of the requests that were sent since `forgetPings`; whoever has it when they are forgotten sees the last replies come. */
    get pings(): Readonly<Pings> {
        return this.#pings;
    }

    forgetPings(): void {
        this.#pings = noPings();
    }

    /** Begins to dial. */
    start(): void {
        this.#running = Promise.all(this.#members.map((member) => this.#live(member)));
    }

    /** Resolves with the milliseconds that it took until every client is connected. */
    async untilConnected(within: number): Promise<number> {
        const begun = performance.now();
        const missing = (): number => this.#members.length - this.connected.length;
        await waitForValue(() => (missing() === 0 ? true : undefined), { within, every: 20, what: "clients to be in" });
        return performance.now() - begun;
    }

    /** From now on nobody hangs up; resolves when everybody is connected, and nobody is still about to leave. */
    async becomeCalm(within: number): Promise<void> {
        this.isCalm = true;
        const settled = ({ client, isLeaving }: Member): boolean => client !== undefined && !isLeaving;
        await waitForValue(() => (this.#members.every(settled) ? true : undefined), {
            within,
            every: 20,
            what: "those who come and go to be in",
        });
    }

    /** Source addresses of those whose session ended since `since` (of `performance.now`) without their asking. */
    lostSince(since: number): string[] {
        const isLost = ({ ended }: Life): boolean => ended !== undefined && !ended.asked && ended.at >= since;
        return this.#members.filter(({ lives }) => lives.some(isLost)).map(({ source }) => source);
    }

    /** What went wrong for clients since `since`, and how often. */
    troublesSince(since: number): Record<string, number> {
        const all = this.#members.flatMap(({ troubles }) => troubles.filter(({ at }) => at >= since));
        const groups = Map.groupBy(all, ({ what }) => what);
        return Object.fromEntries([...groups].map(([what, list]) => [what, list.length]));
    }

    /** How many sessions there were, and how many dials came to nothing. */
    get totals(): { readonly sessions: number; readonly failedDials: number } {
        return {
            sessions: this.#members.reduce((sum, { lives }) => sum + lives.length, 0),
            failedDials: this.#members.reduce((sum, { failures }) => sum + failures, 0),
        };
    }

    /** Everybody says goodbye, and nobody dials again. */
    async stop(): Promise<void> {
        this.#stopping.abort();
        await Promise.all(this.#members.map(async ({ client }) => client?.disconnect()));
        await this.#running;
        this.#round.stop();
    }

    async [Symbol.asyncDispose](): Promise<void> {
        this.#stopping.abort();
        for (const { client } of this.#members) client?.destroy();
        await this.#running;
        this.#round.stop();
    }

    async #live(member: Member): Promise<void> {
        const { signal } = this.#stopping;
        await pause((member.index * 1_000) / this.#options.rate, signal);
        while (!signal.aborted) {
            await this.#oneLife(member);
            await pause(REDIAL * (1 + Math.random()), signal);
        }
    }

    async #oneLife(member: Member): Promise<void> {
        const { options, fromSource } = this.#options;
        const { signal } = this.#stopping;
        let client: SstpClient;
        try {
            client = await SstpClient.connect({
                timeout: DIAL_TIMEOUT,
                ...options(member.index),
                localAddress: member.source,
                ...fromSource?.(member.source),
            });
        } catch (error) {
            if (!(error instanceof DialError)) throw error;
            member.failures += 1;
            member.troubles.push({ at: performance.now(), what: `dial: ${error.step}: ${error.end.reason}` });
            return;
        }
        const life: Life = { openedAt: performance.now(), address: client.address ?? "" };
        member.lives.push(life);
        member.client = client;
        const over = new AbortController();
        const leaving = this.#hangUp(member, client, over.signal);
        const fallSilent = this.#round.join(() => this.#ping(client, over.signal));
        const { reason } = await client.closed;
        fallSilent();
        over.abort();
        member.client = undefined;
        member.isLeaving = false;
        const asked = (await leaving) || signal.aborted;
        life.ended = { at: performance.now(), reason, asked };
        if (!asked) member.troubles.push({ at: performance.now(), what: `session: ${reason}` });
    }

    /** When its time has come.  False: the session ended before. */
    async #hangUp(member: Member, client: SstpClient, over: AbortSignal): Promise<boolean> {
        const { meanLife = Infinity } = this.#options;
        let rest = Math.min(LONGEST_LIFE, -Math.log(Math.random()) * meanLife);
        do {
            await pause(rest, AbortSignal.any([over, this.#stopping.signal]));
            rest = CALM_POLL;
        } while (this.isCalm && !over.aborted && !this.#stopping.signal.aborted);
        if (over.aborted) return false;
        member.isLeaving = true;
        void client.disconnect();
        return true;
    }

    /** One echo request, whether or not the last one was answered. */
    #ping(client: SstpClient, over: AbortSignal): void {
        const pings = this.#pings;
        pings.sent += 1;
        client.ping(client.gateway ?? "", { timeout: PING_TIMEOUT }).then(
            (milliseconds) => pings.roundTrips.push(milliseconds),
            (error: unknown) => {
                if (!(error instanceof DependencyError)) throw error;
                // Whose connection ended meanwhile is counted as lost, not as unanswered.
                if (!over.aborted) pings.unanswered += 1;
            },
        );
    }
}

/** 127.1.0.1 and so on: the whole network is the host's own. */
const sourceOf = (index: number): string => `127.1.${Math.floor(index / 250)}.${(index % 250) + 1}`;

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
    delay(milliseconds, undefined, { signal }).catch(() => undefined);
