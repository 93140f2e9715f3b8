// What a group of servers is made with; times are in milliseconds.
import type { Attribute } from "@postern/radius";
import type { MessageAuthenticatorMode } from "./reply-rule.ts";
import type { ServerAddress } from "./client-socket.ts";

export interface ServerSettings {
    readonly address: ServerAddress;
    readonly secret: Uint8Array;
    /** Servers of a higher number are asked only when no lower one is usable. */
    readonly priority: number;
    /** Share of the requests among servers of the same priority. */
    readonly weight: number;
}

export interface GroupSettings {
    readonly servers: readonly ServerSettings[];
    /**
     * `standard`: who does not answer within `serverTimeout` is not waited for any longer than the next server needs.
     * `interactive`: the server asks a person: one request to one server, and another server only when that one is dead.
     */
    readonly profile: "standard" | "interactive";
    readonly messageAuthenticator: MessageAuthenticatorMode;
    /** Requests to one server at once. */
    readonly outstanding: number;
    /** To the first retransmission; it doubles. */
    readonly retransmit: number;
    /** That a living server needs for an answer at most; with `interactive`, for that to Status-Server. */
    readonly serverTimeout: number;
    /** For a request at all servers together. */
    readonly timeout: number;
    /** How long a server that never answered Status-Server is dead before it is tried again. */
    readonly deadTime: number;
    /** Between two Status-Server requests to a dead server. */
    readonly probe: number;
    /** Who asks, in Status-Server: NAS-Identifier or NAS-IP-Address. */
    readonly statusAttributes: readonly Attribute[];
}
