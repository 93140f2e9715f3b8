// One server with its health: what its exchanges say of it, and Status-Server (RFC 5997) while that is in doubt.
import { CODE } from "@postern/radius";
import type { ExchangeOutcome, RadiusRequest } from "./exchange.ts";
import type { GroupSettings, ServerSettings } from "./group-settings.ts";
import type { RadiusObserver } from "./observer.ts";
import type { Cancel, ClientPorts } from "./ports.ts";
import { ReplyRule } from "./reply-rule.ts";
import { ServerClient } from "./server-client.ts";
import { ServerHealth, type ServerState } from "./server-health.ts";

/** RFC 5997 §4.2: the authentication port answers with an Access-Accept, the accounting port with an Accounting-Response. */
const STATUS_REPLIES = [CODE.accessAccept, CODE.accountingResponse];

export class MonitoredServer {
    /** `host:port` */
    readonly name: string;
    readonly priority: number;
    readonly weight: number;
    readonly #settings: GroupSettings;
    readonly #ports: ClientPorts;
    readonly #client: ServerClient;
    readonly #health: ServerHealth;
    /** Ends of requests whose server must live for them to go on. */
    readonly #dependent = new Set<AbortController>();
    #cancelProbe: Cancel = () => undefined;
    #cancelDeadTime: Cancel = () => undefined;
    #isProbing = false;
    #isStopped = false;

    constructor(server: ServerSettings, settings: GroupSettings, ports: ClientPorts, observer: RadiusObserver) {
        const { host, port } = server.address;
        this.name = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
        this.priority = server.priority;
        this.weight = server.weight;
        this.#settings = settings;
        this.#ports = ports;
        const { outstanding, retransmit, messageAuthenticator } = settings;
        const rule = new ReplyRule(messageAuthenticator);
        this.#client = new ServerClient({
            ...server,
            name: this.name,
            outstanding,
            retransmit,
            repeats: settings.profile === "standard",
            rule,
            ports,
            observer,
        });
        this.#health = new ServerHealth({
            now: ports.now,
            patient: settings.profile === "interactive",
            onState: (state, cause) => {
                this.#onState(state);
                observer.onState(this.name, state, cause);
            },
        });
    }

    get state(): ServerState {
        return this.#health.state;
    }

    get isUsable(): boolean {
        return this.#health.isUsable;
    }

    /** Asks for its status once, to know early. */
    start(): void {
        void this.#probe();
    }

    stop(error: Error): void {
        this.#isStopped = true;
        this.#cancelProbe();
        this.#cancelDeadTime();
        this.#client.close(error);
    }

    /** `onOverdue` is called when the server has had `serverTimeout`; the request waits on until `signal` is aborted. */
    async ask(request: RadiusRequest, signal: AbortSignal, onOverdue: () => void): Promise<ExchangeOutcome> {
        const { now, after } = this.#ports;
        const sentAt = now();
        const over = this.#health.begin();
        const cancel = after(this.#settings.serverTimeout, () => {
            this.#health.overdue(sentAt);
            if (this.#settings.profile === "interactive") void this.#probe();
            else onOverdue();
        });
        const end = new AbortController();
        const onAbort = (): void => end.abort();
        signal.addEventListener("abort", onAbort, { once: true });
        this.#dependent.add(end);
        const outcome = await this.#client.exchange(request, end.signal);
        this.#dependent.delete(end);
        signal.removeEventListener("abort", onAbort);
        cancel();
        over();
        if (outcome.kind === "reply") this.#health.replied();
        else if (outcome.kind === "unreachable" && !this.#isStopped) this.#health.unreachable(outcome.error);
        return outcome;
    }

    #onState(state: ServerState): void {
        this.#cancelDeadTime();
        if (state !== "dead" || this.#isStopped) return;
        this.#cancelDeadTime = this.#ports.after(this.#settings.deadTime, () => this.#health.deadTimeOver());
        void this.#probe();
        // Nobody is asked twice while the server of the first question lives.
        if (this.#settings.profile === "interactive") for (const end of this.#dependent) end.abort();
    }

    async #probe(): Promise<void> {
        if (this.#isProbing || this.#isStopped) return;
        this.#isProbing = true;
        this.#cancelProbe();
        const end = new AbortController();
        const cancel = this.#ports.after(this.#settings.serverTimeout, () => end.abort());
        const { statusAttributes } = this.#settings;
        const request = { code: CODE.statusServer, attributes: () => statusAttributes, replies: STATUS_REPLIES };
        const outcome = await this.#client.exchange(request, end.signal);
        cancel();
        this.#isProbing = false;
        this.#onStatus(outcome);
    }

    #onStatus(outcome: ExchangeOutcome): void {
        if (this.#isStopped) return;
        if (outcome.kind === "reply") this.#health.statusAnswered();
        else if (outcome.kind === "unreachable") this.#health.unreachable(outcome.error);
        else if (outcome.kind === "ended") this.#health.statusUnanswered();
        this.#probeLater();
    }

    #probeLater(): void {
        const waits = this.#settings.profile === "interactive" && this.#dependent.size > 0;
        if (this.#health.state !== "dead" && !waits) return;
        this.#cancelProbe = this.#ports.after(this.#settings.probe, () => void this.#probe());
    }
}
