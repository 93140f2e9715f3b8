// A server with the permissions of an installation, and those who try what they may and what they may not.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
    connect,
    errors,
    nkeyAuthenticator,
    type NatsConnection,
    type PermissionViolationError,
} from "@nats-io/transport-node";
import type { Role } from "@postern/contracts";
import { createTemporaryDirectory, startNatsServer, type NatsServer, type TemporaryDirectory } from "@postern/testkit";
import { applyBus, createSeed, natsPermissions, type BusUser } from "../../src/index.ts";
import { inboxPrefix } from "../../src/connect.ts";
import { LAYOUT, openBus, type TestBus } from "../test-bus.ts";

const INSTANCES: Readonly<Record<string, Role>> = {
    operator: "admin",
    i1: "ingress",
    w1: "session-worker",
    w2: "session-worker",
    b1: "auth-broker",
    r1: "session-registry",
    a1: "audit-logger",
    siem: "subscriber",
};

interface Attempt {
    readonly publish?: readonly string[];
    readonly subscribe?: readonly string[];
}

export class SecuredServer implements AsyncDisposable {
    readonly #server: NatsServer;
    readonly #directory: TemporaryDirectory;
    readonly #seeds: ReadonlyMap<string, string>;

    private constructor(server: NatsServer, directory: TemporaryDirectory, seeds: ReadonlyMap<string, string>) {
        this.#server = server;
        this.#directory = directory;
        this.#seeds = seeds;
    }

    static async start(): Promise<SecuredServer> {
        const directory = await createTemporaryDirectory("seeds");
        const seeds = new Map<string, string>();
        const users: BusUser[] = Object.entries(INSTANCES).map(([instance, role]) => {
            const { seed, publicKey } = createSeed();
            seeds.set(instance, seed);
            return { role, instance, nkeyPublic: publicKey };
        });
        const server = await startNatsServer({ config: natsPermissions("main", users) });
        const secured = new SecuredServer(server, directory, seeds);
        for (const [instance, seed] of seeds) await secured.writeSeed(instance, seed);
        await using admin = await secured.open("operator");
        await applyBus(admin.bus, LAYOUT);
        return secured;
    }

    get url(): string {
        return this.#server.url;
    }

    /** Returns the file. */
    async writeSeed(instance: string, seed: string): Promise<string> {
        const file = this.#seedFile(instance);
        await writeFile(file, `${seed}\n`, { mode: 0o600 });
        return file;
    }

    seedOf(instance: string): string {
        const seed = this.#seeds.get(instance);
        assert.ok(seed !== undefined);
        return seed;
    }

    open(instance: string): Promise<TestBus> {
        return openBus(this.#server, instance, { seedFile: this.#seedFile(instance) });
    }

    /** Tells apart what the server allows and what it reports as a violation. */
    async attempt(
        instance: string,
        { publish = [], subscribe = [] }: Attempt,
    ): Promise<{ allowed: string[]; refused: string[] }> {
        const connection = await this.#connect(instance);
        const violations: PermissionViolationError[] = [];
        const follow = async (): Promise<void> => {
            for await (const status of connection.status()) {
                if (status.type === "error" && status.error instanceof errors.PermissionViolationError) {
                    violations.push(status.error);
                }
            }
        };
        const following = follow();
        for (const subject of publish) connection.publish(subject, "{}");
        for (const subject of subscribe) connection.subscribe(subject, { callback: () => undefined });
        await connection.flush();
        await connection.close();
        await following;
        const refused = new Set(violations.map(({ operation, subject }) => `${operation} ${subject}`));
        const tried = [
            ...publish.map((subject) => `publish ${subject}`),
            ...subscribe.map((subject) => `subscription ${subject}`),
        ];
        return { allowed: tried.filter((one) => !refused.has(one)), refused: tried.filter((one) => refused.has(one)) };
    }

    async assertRefused(instance: string, attempt: Attempt): Promise<void> {
        assert.deepEqual((await this.attempt(instance, attempt)).allowed, [], instance);
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.#server[Symbol.asyncDispose]();
        await this.#directory[Symbol.asyncDispose]();
    }

    #seedFile(instance: string): string {
        return join(this.#directory.path, `${instance}.nk`);
    }

    /** Without our client, which would not ask for what is not in the contracts. */
    async #connect(instance: string): Promise<NatsConnection> {
        return connect({
            servers: this.url,
            authenticator: nkeyAuthenticator(new TextEncoder().encode(this.seedOf(instance))),
            inboxPrefix: inboxPrefix(instance),
        });
    }
}
