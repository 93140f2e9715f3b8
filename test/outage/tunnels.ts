// A few clients that stay connected, and say whether the server ever left them alone.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { SstpClient } from "@postern/sstp-client";
import { eventually } from "@postern/testkit";
import type { Installation } from "../e2e/installation.ts";

export interface SessionRow {
    readonly session: string;
    readonly principal: string;
    readonly worker: string;
    readonly address: string;
}

const PING_EVERY = 500;

/** So that a test need not wait for half a minute to see that nobody is taken for lost. */
export const quickToJudge = (yaml: string): string =>
    yaml.replace(/^session-registry:$/m, "$&\n  worker: { lostAfter: 5s, amnesty: 3s }");

/** A local user of this test's own. */
export async function addUser(postern: Installation, user: string): Promise<{ user: string; password: string }> {
    const password = randomUUID();
    await postern.posternWithInput(`${password}\n`, "user", "add", user);
    return { user, password };
}

export class Tunnels implements AsyncDisposable {
    readonly #postern: Installation;
    readonly #open: SstpClient[];
    readonly #stopping = new AbortController();
    readonly #pinging: Promise<unknown>;
    readonly #failures: string[] = [];
    #answers = 0;

    private constructor(postern: Installation, open: SstpClient[]) {
        this.#postern = postern;
        this.#open = open;
        this.#pinging = Promise.all(open.map((tunnel) => this.#ping(tunnel)));
    }

    /** Two for each user, each of which is pinged twice a second from now on. */
    static async open(postern: Installation, users: readonly string[]): Promise<Tunnels> {
        const open: SstpClient[] = [];
        for (const name of users) {
            const credentials = await addUser(postern, name);
            open.push(await postern.dial(credentials), await postern.dial(credentials));
        }
        const rows = await eventually(
            async () => {
                const listed = await postern.query<SessionRow[]>("sessions");
                assert.equal(listed.length, open.length);
                return listed;
            },
            { within: 15_000, what: "every session to be listed" },
        );
        assert.equal(new Set(rows.map(({ address }) => address)).size, open.length);
        return new Tunnels(postern, open);
    }

    get addresses(): string[] {
        return this.#open.map(({ address }) => address ?? "").toSorted((a, b) => a.localeCompare(b));
    }

    /** Hangs one up as its user would; the address that it had. */
    async hangUp(): Promise<string> {
        const tunnel = this.#open.shift();
        assert.ok(tunnel !== undefined);
        const { address = "" } = tunnel;
        await tunnel.disconnect();
        return address;
    }

    /** None was cut off or left without an answer since they were opened, and each is answered now. */
    async assertUnharmed(): Promise<void> {
        const before = this.#answers;
        await eventually(() => assert.ok(this.#answers >= before + 2 * this.#open.length), { within: 20_000 });
        assert.deepEqual(this.#failures, []);
    }

    /** The sessions in the registry's list are these, with their addresses. */
    async assertListed(within: number): Promise<SessionRow[]> {
        return eventually(
            async () => {
                const rows = await this.#postern.query<SessionRow[]>("sessions");
                const listed = rows.map(({ address }) => address).toSorted((a, b) => a.localeCompare(b));
                assert.deepEqual(listed, this.addresses);
                return rows;
            },
            { within, every: 200, what: "the sessions to be listed as they are" },
        );
    }

    async [Symbol.asyncDispose](): Promise<void> {
        this.#stopping.abort();
        await this.#pinging;
        await Promise.all(this.#open.map((tunnel) => tunnel.disconnect()));
    }

    async #ping(tunnel: SstpClient): Promise<void> {
        const { signal } = this.#stopping;
        while (!signal.aborted && this.#open.includes(tunnel)) {
            try {
                await tunnel.ping(this.#postern.ready.gateway, { timeout: 5_000 });
                this.#answers += 1;
            } catch (error) {
                if (this.#open.includes(tunnel)) this.#failures.push(`${tunnel.address}: ${String(error)}`);
                return;
            }
            await delay(PING_EVERY, undefined, { signal }).catch(() => undefined);
        }
    }
}
