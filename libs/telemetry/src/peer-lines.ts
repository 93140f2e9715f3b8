// Log lines about peers that nobody knows: a few of each kind as they come, the rest as one line that says how many there were
// and where most of them came from.  A flood is then a page in the log, and not the log.
import type { Logger } from "./logger.ts";

export interface PeerLinesOptions {
    readonly log: Pick<Logger, "info" | "warn">;
    /** Lines of each kind in a window that are written as they come. */
    readonly lines?: number;
    /** Milliseconds from the first line that is held back to the sum. */
    readonly window?: number;
    /** Calls back after so many milliseconds; the result cancels that. */
    readonly after?: (milliseconds: number, callback: () => void) => () => void;
    /** Monotonic milliseconds. */
    readonly now?: () => number;
}

/** What is known of one kind of line in its window. */
interface Kind {
    readonly since: number;
    written: number;
    withheld: number;
    readonly sources: Map<string, number>;
    cancel: (() => void) | undefined;
}

const LINES = 10;
const WINDOW = 10_000;
/** Sources that are told apart in a window; there may be more. */
const MAX_SOURCES = 1_000;

export class PeerLines {
    readonly #log: PeerLinesOptions["log"];
    readonly #lines: number;
    readonly #window: number;
    readonly #after: NonNullable<PeerLinesOptions["after"]>;
    readonly #now: () => number;
    readonly #kinds = new Map<string, Kind>();

    constructor(options: PeerLinesOptions) {
        const { log, lines = LINES, window = WINDOW, after = afterwards, now = () => performance.now() } = options;
        this.#log = log;
        this.#lines = lines;
        this.#window = window;
        this.#after = after;
        this.#now = now;
    }

    /** `message` is the kind, one of a closed list; `source` is who caused the line; `fields` go with a line that is written. */
    add(message: string, source: string, fields: object): void {
        const kind = this.#kindOf(message);
        if (kind.written < this.#lines) {
            kind.written += 1;
            return this.#log.info(fields, message);
        }
        kind.withheld += 1;
        const known = kind.sources.get(source);
        if (known !== undefined || kind.sources.size < MAX_SOURCES) kind.sources.set(source, (known ?? 0) + 1);
        kind.cancel ??= this.#after(Math.max(0, kind.since + this.#window - this.#now()), () =>
            this.#sum(message, kind),
        );
    }

    /** Says what was held back, and holds back nothing of it any longer. */
    flush(): void {
        for (const [message, kind] of this.#kinds) this.#sum(message, kind);
    }

    #kindOf(message: string): Kind {
        const now = this.#now();
        const known = this.#kinds.get(message);
        if (known !== undefined && (known.cancel !== undefined || now - known.since < this.#window)) return known;
        const fresh = { since: now, written: 0, withheld: 0, sources: new Map<string, number>(), cancel: undefined };
        this.#kinds.set(message, fresh);
        return fresh;
    }

    #sum(message: string, { withheld, sources, since, cancel }: Kind): void {
        cancel?.();
        this.#kinds.delete(message);
        if (withheld === 0) return;
        const [source, most] = [...sources].reduce((one, other) => (other[1] > one[1] ? other : one), ["", 0]);
        const seconds = Math.round((this.#now() - since) / 1_000);
        const count = sources.size < MAX_SOURCES ? `${sources.size}` : `${MAX_SOURCES} or more`;
        this.#log.warn(
            { count: withheld, seconds, sources: sources.size, mostFrom: source, most },
            `${message}: ${withheld} more in ${seconds} s, from ${count} sources`,
        );
    }
}

function afterwards(milliseconds: number, callback: () => void): () => void {
    const timer = setTimeout(callback, milliseconds).unref();
    return () => clearTimeout(timer);
}
