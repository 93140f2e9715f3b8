// Admissions and releases without end on a pool of 256 addresses, while a registry dies; and the books are kept by the caller alone.
import assert from "node:assert/strict";
import { BUCKETS } from "@postern/contracts";
import { eventually } from "@postern/testkit";
import type { Installation, TestWorker } from "./installation.ts";

const POOL = 256;
const USERS = 150;
/** About 200 addresses are in use, until it comes to an end. */
const FILLED = 200;
/** What may be refused: given up by its asker, overtaken by a newer session of the user, or the pool is empty for a moment. */
const EXPECTED = ["session-ended", "user-limit", "pool-exhausted", undefined];

export interface StormOptions {
    readonly worker: TestWorker;
    readonly operations: number;
    readonly inFlight: number;
    /** Called once, half-way. */
    readonly halfWay: () => Promise<void>;
}

export interface StormReport {
    readonly seconds: number;
    readonly admitted: number;
    /** The most sessions at once. */
    readonly highest: number;
    /** Admissions that came to nothing, by what the registry said. */
    readonly refused: Readonly<Record<string, number>>;
    /** Releases of what the registry had ended already. */
    readonly lost: number;
}

/** Throws as soon as an address is granted that another session has by the caller's own account. */
export async function storm({ worker, operations, inFlight, halfWay }: StormOptions): Promise<StormReport> {
    /** Address → the session that got it last. */
    const granted = new Map<string, string>();
    const refused: Record<string, number> = {};
    let [begun, admissions, admitted, highest, lost] = [0, 0, 0, 0, 0];
    let event: Promise<void> | undefined;
    const start = performance.now();

    async function admit(): Promise<void> {
        admissions += 1;
        const session = `session${String(admissions).padStart(8, "0")}`;
        const question = worker.question(session, `user${Math.floor(Math.random() * USERS)}`);
        // Every second one does not ask again when its registry dies.
        const answer = await worker.admit(question, admissions % 2 === 0 ? 1 : undefined);
        if (answer?.state !== "admitted") {
            assert.ok(EXPECTED.includes(answer?.reason), JSON.stringify(answer));
            const reason = answer?.reason ?? "given up or replaced";
            refused[reason] = (refused[reason] ?? 0) + 1;
            return;
        }
        const { address } = answer.addresses;
        const holder = granted.get(address);
        assert.ok(holder === undefined || !worker.sessions.has(holder), `${session} and ${holder} have ${address}`);
        granted.set(address, session);
        admitted += 1;
        highest = Math.max(highest, worker.sessions.size);
    }

    async function release(): Promise<void> {
        const [session] = worker.sessions.keys();
        if (session !== undefined && (await worker.release(session)) !== "won") lost += 1;
    }

    async function client(): Promise<void> {
        while (begun < operations) {
            begun += 1;
            if (begun >= operations / 2) event ??= halfWay();
            const isFull = worker.sessions.size > FILLED || begun > operations * 0.95;
            await (isFull || Math.random() < 0.3 ? release() : admit());
        }
        while (worker.sessions.size > 0) await release();
    }
    await Promise.all(Array.from({ length: inFlight }, client));
    await event;
    assert.ok(highest > FILLED && highest <= POOL, `${highest} sessions at once`);
    return { seconds: (performance.now() - start) / 1_000, admitted, highest, refused, lost };
}

/** Waits until nobody has an address any more, by any of the registry's records. */
export async function untilWhole({ bus }: Installation): Promise<void> {
    const [sessions, leases, users] = await Promise.all([
        bus.bucket(BUCKETS.sessions),
        bus.bucket(BUCKETS.leases),
        bus.bucket(BUCKETS.users),
    ]);
    await eventually(
        async () => {
            const live = (await sessions.entries()).filter(({ value }) => value.state === "admitted");
            assert.deepEqual(
                live.map(({ key }) => key),
                [],
                "sessions",
            );
            const used = (await leases.entries()).filter(({ value }) => value.session !== undefined);
            assert.deepEqual(
                used.map(({ value }) => value),
                [],
                "leases",
            );
            const listed = (await users.entries()).flatMap(({ value }) => value.sessions);
            assert.deepEqual(listed, [], "listings");
        },
        { within: 30_000, every: 100, what: "everything to be given back" },
    );
}
