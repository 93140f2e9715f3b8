// Composition: makes the parts of a broker and puts them on the bus.
import { randomBytes } from "node:crypto";
import { createBackends, opener, type Backends } from "./backends/create-backends.ts";
import { createDecoy, EmbeddedBackend } from "./backends/embedded-backend.ts";
import { createLdapMetrics } from "./backends/ldap/ldap-metrics.ts";
import { createRadiusMetrics } from "./backends/radius/radius-metrics.ts";
import type { Bucket, Stoppable } from "@postern/bus";
import type { AuthBrokerSection } from "@postern/config";
import {
    authContinue,
    authStart,
    BUCKETS,
    QUEUE_GROUPS,
    registryBan,
    type AccountRecord,
    type AuthStateRecord,
} from "@postern/contracts";
import { ConfigError } from "@postern/errors";
import { readKeyFile, recordCipher, type KeyKind } from "@postern/sealing";
import type { Events, Service, ServiceContext } from "@postern/service";
import { PeerLines } from "@postern/telemetry";
import { AccountDirectory } from "./account-directory.ts";
import { AttemptClaims } from "./attempt-claims.ts";
import { AttemptGuard } from "./attempt-guard.ts";
import { AttemptRecorder } from "./attempt-recorder.ts";
import { Authenticator } from "./authenticator.ts";
import { BanReporter } from "./ban-reporter.ts";
import { createBrokerMetrics } from "./broker-metrics.ts";
import { BackendChain } from "./chain/backend-chain.ts";
import { chainEntries } from "./chain/chain-entries.ts";
import { SkipReporter } from "./chain/skip-reporter.ts";
import { systemClock } from "./clock.ts";
import { startCoa } from "./coa/coa-service.ts";
import type { UdpListener } from "./coa/udp-listener.ts";
import { Conversations } from "./conversations.ts";
import { FailureDelays } from "./failure-delays.ts";
import { FailureSummary } from "./failure-summary.ts";
import { Lockouts } from "./lockouts.ts";
import { PasswordHasher } from "./password-hasher.ts";
import { PolicyGate } from "./policy/policy-gate.ts";
import { RecentMap } from "./recent-map.ts";
import { TokenBuckets } from "./token-buckets.ts";

export type BrokerContext = Pick<
    ServiceContext<AuthBrokerSection>,
    "instance" | "section" | "log" | "metrics" | "bus"
> & { readonly events: Pick<Events, "append" | "accepting"> };

/** The longest that a stopping broker waits for logins that are being decided. */
const MAX_DRAIN = 10_000;
const ID_SIZE = 16;
const DECOY_PASSWORD_SIZE = 24;

interface Parts {
    readonly authState: Bucket<AuthStateRecord>;
    readonly directory: AccountDirectory;
    readonly backends: Backends;
    readonly lockouts: Lockouts;
    readonly failures: FailureSummary;
    readonly skips: SkipReporter;
    readonly conversations: Conversations;
    readonly lines: PeerLines;
}

/** Reads the keys and opens the buckets; `start` does the rest. */
export async function createBroker(context: BrokerContext): Promise<Service> {
    const { section, bus } = context;
    const sealKey = await readKey(section.sealKey, "seal-private", "sealKey");
    const accountsKey = await readKey(section.accountsKey, "accounts", "accountsKey");
    const accounts = await bus.bucket(BUCKETS.accounts);
    const authState = await bus.bucket(BUCKETS.authState);
    return new AuthBroker(context, await compose(context, sealKey, accountsKey, accounts, authState));
}

async function readKey(path: string | undefined, kind: KeyKind, key: string): Promise<Uint8Array> {
    if (path === undefined) {
        throw new ConfigError("CONFIG_INVALID", `auth-broker.${key} is needed: the path of a key file, mode 0600`);
    }
    return readKeyFile(path, kind);
}

async function compose(
    context: BrokerContext,
    sealKey: Uint8Array,
    accountsKey: Uint8Array,
    accounts: Bucket<AccountRecord>,
    authState: Bucket<AuthStateRecord>,
): Promise<Parts> {
    const { instance, section, log, bus, events } = context;
    const clock = systemClock;
    const metrics = createBrokerMetrics(context.metrics);
    const cipher = recordCipher(accountsKey);
    const directory = new AccountDirectory({ bucket: accounts, cipher, log, limit: section.limits.accounts });
    const hasher = new PasswordHasher(section.hashing);
    const decoy = await createDecoy(cipher, randomBytes(DECOY_PASSWORD_SIZE).toString("base64"), clock.now());
    const embedded = new EmbeddedBackend({ directory, cipher, decoy, names: section.names, hasher });
    const skips = new SkipReporter({
        clock,
        window: section.audit.window,
        events,
        log,
        onSkipped: metrics.skipped,
    });
    const lines = new PeerLines({ log });
    const backends = await createBackends(
        section.backends,
        embedded,
        opener({
            clock,
            log,
            lines,
            metrics: createLdapMetrics(context.metrics),
            radius: createRadiusMetrics(context.metrics),
            names: section.names,
        }),
    );
    const entries = chainEntries(section.chain, backends.byName);
    const chain = new BackendChain({ entries, onSkipped: skips.add });
    const backend = new PolicyGate({ clock, rules: section.policies, backend: chain });
    const failures = new FailureSummary({ clock, ...section.audit, events, log, onUnrecorded: metrics.unrecorded });
    const bans = new BanReporter({
        clock,
        rules: section.ban,
        instance,
        log,
        lines,
        ask: (question) => bus.ask(bus.subjects.registry.ban, registryBan, question),
        limit: section.throttle.entries,
    });
    const recorder = new AttemptRecorder({ events, failures, bans, metrics, lines, log });
    const lockouts = new Lockouts({
        bucket: authState,
        clock,
        rules: section.lockout,
        log,
        onLocked: (record) => recorder.locked(record),
        onUncounted: metrics.uncounted,
    });
    const { source, user, entries: remembered } = section.throttle;
    const guard = new AttemptGuard({
        clock,
        names: section.names,
        perSource: new TokenBuckets(clock, source, remembered),
        perUser: new TokenBuckets(clock, user, remembered),
        familiar: new RecentMap(remembered),
        lockouts,
        delays: new FailureDelays(clock, section.failureDelay, remembered),
    });
    const { methods, mschapRetries } = section;
    const authenticator = new Authenticator({ clock, log, sealKey, methods, mschapRetries, guard, backend, recorder });
    const conversations = new Conversations({
        clock,
        replica: instance,
        rules: { limit: section.limits.conversations, timeout: section.timeout, kept: section.resultKept },
        authenticator,
        claims: new AttemptClaims({
            bucket: authState,
            clock,
            replica: instance,
            kept: section.timeout + section.resultKept,
        }),
        newId: () => randomBytes(ID_SIZE).toString("hex"),
        onRepeated: metrics.repeated,
    });
    metrics.watch({
        conversations: () => conversations.size,
        hashesRunning: () => hasher.running,
        hashesWaiting: () => hasher.waiting,
        accounts: () => directory.size,
        lockouts: () => lockouts.size,
    });
    return { authState, directory, backends, lockouts, failures, skips, conversations, lines };
}

class AuthBroker implements Service {
    readonly #context: BrokerContext;
    readonly #parts: Parts;
    readonly #answers: { start?: Stoppable; continue?: Stoppable } = {};
    #coa: UdpListener | undefined;

    constructor(context: BrokerContext, parts: Parts) {
        this.#context = context;
        this.#parts = parts;
    }

    async start(): Promise<void> {
        const { bus, instance, section } = this.#context;
        const { authState, directory, lockouts, conversations, lines } = this.#parts;
        await Promise.all([directory.start(), lockouts.start()]);
        this.#coa = await startCoa({ ...this.#context, authState, lines });
        const concurrency = section.limits.conversations;
        this.#answers.continue = await bus.answer(
            bus.subjects.authContinue(instance),
            authContinue,
            (question) => conversations.continue(question),
            { concurrency },
        );
        // Last: from here on workers come.
        this.#answers.start = await bus.answer(
            bus.subjects.authStart,
            authStart,
            (question) => conversations.start(question),
            { queue: QUEUE_GROUPS.auth, concurrency },
        );
    }

    /** Takes no new logins, lets those that are open be decided and told, and ends the rest. */
    async stop(_reason: string): Promise<void> {
        const { directory, backends, lockouts, failures, skips, conversations, lines } = this.#parts;
        await this.#answers.start?.stop();
        await this.#coa?.stop();
        await conversations.stop(Math.min(MAX_DRAIN, this.#context.section.stopWithin / 2));
        await this.#answers.continue?.stop();
        await backends.stop();
        await failures.stop();
        await skips.stop();
        lines.flush();
        lockouts.stop();
        directory.stop();
    }

    readiness(): string | undefined {
        const { bus, events } = this.#context;
        if (!bus.status.connected) return "the bus is not connected";
        if (!events.accepting) return "the outbox is full: no login can be recorded";
        return this.#parts.directory.readiness();
    }
}
