// The words that every section is made of.  Each reads a string of postern.yaml and gives what programs use.
import { z } from "zod";

declare module "zod" {
    interface GlobalMeta {
        /** What docs/configuration.md prints as the type of a key; a `file` or `directory` is made absolute on loading. */
        kind?: string;
        /** Set on every key that bounds something: what it bounds, for docs/limits.md. */
        limit?: string;
    }
}

interface Range {
    /** In the key's own notation: `1s`, `64KiB`. */
    readonly min?: string;
    readonly max?: string;
}

interface Notation {
    readonly kind: "duration" | "size";
    readonly pattern: RegExp;
    readonly units: Readonly<Record<string, number>>;
    readonly expected: string;
}

const DURATION: Notation = {
    kind: "duration",
    pattern: /^(\d{1,9})(ms|s|m|h|d)$/,
    units: { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 },
    expected: "a duration such as 500ms, 15s, 2m, 12h or 30d",
};

const SIZE: Notation = {
    kind: "size",
    pattern: /^(\d{1,9})(B|KiB|MiB|GiB|TiB)$/,
    units: { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 },
    expected: "a size such as 512B, 64KiB, 8MiB or 1GiB",
};

function measure(notation: Notation, text: string): number {
    const [, digits, unit] = notation.pattern.exec(text) ?? [];
    return Number(digits) * (notation.units[unit ?? ""] ?? Number.NaN);
}

function quantity(notation: Notation, { min, max }: Range) {
    const least = min === undefined ? 0 : measure(notation, min);
    const most = max === undefined ? Infinity : measure(notation, max);
    return z
        .string(notation.expected)
        .regex(notation.pattern, notation.expected)
        .transform((text, context) => {
            const value = measure(notation, text);
            if (value < least) context.issues.push({ code: "custom", message: `at least ${min}`, input: text });
            if (value > most) context.issues.push({ code: "custom", message: `at most ${max}`, input: text });
            return value;
        })
        .meta({ kind: notation.kind });
}

/** `15s` in the file, milliseconds in the program.  A default is given in the file's notation: `.prefault("15s")`. */
export const duration = (range: Range = {}) => quantity(DURATION, range);

/** `64KiB` in the file, bytes in the program.  A default is given in the file's notation: `.prefault("64KiB")`. */
export const byteSize = (range: Range = {}) => quantity(SIZE, range);

export interface ListenAddress {
    readonly host: string;
    readonly port: number;
}

const ADDRESS = "an address such as 127.0.0.1:9101 or [::]:443";

/** `host:port` in the file, IPv6 in brackets; port 0 lets the system choose.  A default: `.prefault("0.0.0.0:443")`. */
export const listenAddress = () =>
    z
        .string(ADDRESS)
        .regex(/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, ADDRESS)
        .transform((text, context): ListenAddress => {
            const colon = text.lastIndexOf(":");
            const port = Number(text.slice(colon + 1));
            if (port > 65_535) context.issues.push({ code: "custom", message: "a port up to 65535", input: text });
            return { host: text.slice(0, colon).replace(/^\[|\]$/g, ""), port };
        })
        .meta({ kind: "address" });

/** The path of a file, made absolute on loading; never the content itself, so that no secret is in postern.yaml. */
export const filePath = () => z.string("the path of a file").min(1).meta({ kind: "file" });

/** The path of a directory, made absolute on loading. */
export const directoryPath = () => z.string("the path of a directory").min(1).meta({ kind: "directory" });
