// Every subject on the bus is built here.  Tokens that come from outside are checked, because a `.` or `>` would change the meaning.
import { encodeUtf8 } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import type { EventContract } from "./events/event.ts";

const TOKEN = /^[-=A-Za-z0-9_]+$/;

function token(value: string): string {
    if (!TOKEN.test(value)) throw new InvariantError(`"${value}" is not a subject token`);
    return value;
}

const PARTITIONS = 64;

/** Two hex digits: FNV-1a of `id`, modulo 64. Facts about one session or source stay in one partition. */
export function partitionOf(id: string): string {
    let hash = 0x811c9dc5;
    for (const byte of encodeUtf8(id)) hash = Math.imul(hash ^ byte, 0x0100_0193);
    return ((hash >>> 0) % PARTITIONS).toString(16).padStart(2, "0");
}

export interface Subjects {
    readonly authStart: string;
    authContinue(replica: string): string;
    readonly registry: Readonly<Record<"admit" | "release" | "snapshot" | "resume" | "query" | "ban", string>>;
    worker(id: string, question: "describe" | "disconnect" | "drain" | "connections"): string;
    ingress(id: string, question: "connections"): string;
    /** The subject of one event about `about` (a session id, else the source instance). */
    event(contract: Pick<EventContract, "kind" | "name">, about: string): string;
    /** All events, of one kind, or of one name. */
    eventFilter(kind?: string, name?: string): string;
    /** Signed audit checkpoints: their own stream, so that a cut-off tail of the log is found. */
    checkpoint(writer: string): string;
    readonly checkpointFilter: string;
}

/** The subjects of one tenant. */
export function subjectsOf(tenant: string): Subjects {
    const root = `postern.${token(tenant)}`;
    return {
        authStart: `${root}.auth.start`,
        authContinue: (replica) => `${root}.auth.continue.${token(replica)}`,
        registry: {
            admit: `${root}.registry.admit`,
            release: `${root}.registry.release`,
            snapshot: `${root}.registry.snapshot`,
            resume: `${root}.registry.resume`,
            query: `${root}.registry.query`,
            ban: `${root}.registry.ban`,
        },
        worker: (id, question) => `${root}.worker.${token(id)}.${question}`,
        ingress: (id, question) => `${root}.ingress.${token(id)}.${question}`,
        event: ({ kind, name }, about) => `${root}.event.${kind}.${name}.${partitionOf(about)}`,
        eventFilter: (kind = "*", name = "*") => `${root}.event.${kind}.${name}.*`,
        checkpoint: (writer) => `${root}.checkpoint.${token(writer)}`,
        checkpointFilter: `${root}.checkpoint.*`,
    };
}

/** Queue groups, so that one instance of a service answers. */
export const QUEUE_GROUPS = { auth: "auth-broker", registry: "session-registry" } as const;
