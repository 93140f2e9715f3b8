// One server of a directory: whether it is alive, its idle connections, and how many logins wait for it.
import type { Logger } from "@postern/telemetry";
import type { SearchOptions } from "ldapts";
import type { Cancel, Clock } from "../../clock.ts";
import type { DirectoryEntry } from "./directory-entry.ts";
import {
    LdapConnection,
    ServerFailure,
    type BindResult,
    type ServerAddress,
    type TlsTrust,
} from "./ldap-connection.ts";

export interface ServiceAccount {
    readonly dn: string;
    readonly password: string;
}

export interface ServerSettings {
    readonly trust: TlsTrust;
    /** Looks users up; without it searches are anonymous. */
    readonly service?: ServiceAccount;
    /** Milliseconds. */
    readonly serverTimeout: number;
    /** Milliseconds. */
    readonly deadTime: number;
    /** Connections that are kept. */
    readonly idle: number;
    /** Milliseconds for which they are kept. */
    readonly idleTime: number;
    /** Logins at once. */
    readonly outstanding: number;
}

export interface ServerPorts {
    readonly clock: Clock;
    readonly log: Logger;
    readonly onState: (server: string, alive: boolean) => void;
}

interface Idle {
    readonly connection: LdapConnection;
    readonly cancel: Cancel;
}

/** What a login may do with the server that it was given. */
export interface ServerSession {
    readonly search: (base: string, options: SearchOptions) => Promise<DirectoryEntry[]>;
    /** Whether the server takes this password, tried on a connection of its own. */
    readonly bind: (dn: string, password: string) => Promise<BindResult>;
}

export class DirectoryServer {
    /** `host:port`, for people. */
    readonly name: string;
    readonly #address: ServerAddress;
    readonly #settings: ServerSettings;
    readonly #ports: ServerPorts;
    readonly #stopping = new AbortController();
    #idle: Idle[] = [];
    #active = 0;
    #alive = true;
    #cancelProbe: Cancel = () => undefined;

    constructor(address: ServerAddress, settings: ServerSettings, ports: ServerPorts) {
        this.name = `${address.host}:${address.port}`;
        this.#address = address;
        this.#settings = settings;
        this.#ports = ports;
    }

    get alive(): boolean {
        return this.#alive;
    }

    get full(): boolean {
        return this.#active >= this.#settings.outstanding;
    }

    /** Throws a ServerFailure when the server does not serve within its time; it is dead then, unless `signal` ended it. */
    async serve<T>(work: (session: ServerSession) => Promise<T>, signal: AbortSignal): Promise<T> {
        this.#active += 1;
        try {
            const result = await this.#limited((limit) => this.#withSession(work, limit), signal);
            this.#found(true);
            return result;
        } catch (error) {
            if (error instanceof ServerFailure && !signal.aborted) this.#found(false, error.message);
            throw error;
        } finally {
            this.#active -= 1;
        }
    }

    stop(): void {
        this.#stopping.abort();
        this.#cancelProbe();
        for (const { connection, cancel } of this.#idle.splice(0)) {
            cancel();
            connection.close();
        }
    }

    async #limited<T>(work: (limit: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
        const late = new AbortController();
        const cancel = this.#ports.clock.after(this.#settings.serverTimeout, () => late.abort());
        try {
            return await work(AbortSignal.any([signal, late.signal, this.#stopping.signal]));
        } finally {
            cancel();
        }
    }

    async #withSession<T>(work: (session: ServerSession) => Promise<T>, limit: AbortSignal): Promise<T> {
        const { trust } = this.#settings;
        let connection: LdapConnection | undefined;
        let good = false;
        const session: ServerSession = {
            search: async (base, options) => {
                const reused = connection ?? this.#takeIdle();
                if (reused !== undefined) {
                    connection = reused;
                    try {
                        return await reused.search(base, options, limit);
                    } catch (error) {
                        // The server closed it while it was idle: that says nothing of the server.
                        if (limit.aborted || reused.usable) throw error;
                    }
                }
                connection = await this.#openService(limit);
                return connection.search(base, options, limit);
            },
            bind: async (dn, password) => {
                const own = await LdapConnection.open(this.#address, trust, limit);
                try {
                    return await own.bind(dn, password, limit);
                } finally {
                    own.close();
                }
            },
        };
        try {
            const result = await work(session);
            good = true;
            return result;
        } finally {
            if (connection !== undefined) this.#giveBack(connection, good);
        }
    }

    async #openService(limit: AbortSignal): Promise<LdapConnection> {
        const { trust, service } = this.#settings;
        const connection = await LdapConnection.open(this.#address, trust, limit);
        if (service === undefined) return connection;
        try {
            const result = await connection.bind(service.dn, service.password, limit);
            if (!result.bound) throw new ServerFailure(`the service account was refused: ${result.diagnostic}`);
            return connection;
        } catch (error) {
            connection.close();
            throw error;
        }
    }

    #takeIdle(): LdapConnection | undefined {
        for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
            idle.cancel();
            if (idle.connection.usable) return idle.connection;
            idle.connection.close();
        }
        return undefined;
    }

    #giveBack(connection: LdapConnection, good: boolean): void {
        const { idle, idleTime } = this.#settings;
        if (!good || !connection.usable || this.#idle.length >= idle || this.#stopping.signal.aborted) {
            connection.close();
            return;
        }
        const drop = (): void => {
            this.#idle = this.#idle.filter((one) => one.connection !== connection);
            connection.close();
        };
        this.#idle.push({ connection, cancel: this.#ports.clock.after(idleTime, drop) });
    }

    #found(alive: boolean, why?: string): void {
        const { log, onState, clock } = this.#ports;
        if (!alive && !this.#stopping.signal.aborted) {
            this.#cancelProbe();
            this.#cancelProbe = clock.after(this.#settings.deadTime, () => void this.#probe());
        }
        if (alive === this.#alive) return;
        this.#alive = alive;
        onState(this.name, alive);
        if (alive) log.info({ server: this.name }, "the LDAP server serves again");
        else log.error({ server: this.name, why }, "an LDAP server does not serve: it is passed over");
    }

    async #probe(): Promise<void> {
        try {
            const connection = await this.#limited((limit) => this.#openService(limit), this.#stopping.signal);
            this.#giveBack(connection, true);
            this.#found(true);
        } catch (error) {
            this.#found(false, error instanceof Error ? error.message : String(error));
        }
    }
}
