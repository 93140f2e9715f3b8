// Coverage counters and traced comparisons in our own modules, put in while Node loads them.
//
// The fuzzer's own loader knows JavaScript only.  So types are stripped first, as Node does it, and the fuzzer's
// instrumentor gets what is left.  Of the packages from npm only the one that checks messages is instrumented.
import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { InvariantError } from "@postern/errors";

/** The part of the fuzzer's instrumentor that is used. */
export interface Instrumentor {
    instrument(code: string, file: string): { readonly code?: string | null } | null;
}

/** A change that makes a module wrong: `from` becomes `to`. */
export interface Defect {
    /** End of the file's path. */
    readonly file: string;
    readonly from: string;
    readonly to: string;
}

/** What was put in so far; final once the target is loaded. */
export interface Instrumentation {
    files: number;
    counters: number;
    planted: number;
}

const OURS = /\/(?:libs|services)\/[^/]+\/src\/.*\.ts$/;
/** Reads the messages of the bus for us, by our schemas. */
const SCHEMAS = /\/node_modules\/zod\/v4\/(?:core|classic)\/[\w-]+\.js$/;
const COUNTER = /\bincrementCounter\(/g;

/** From now on, modules under libs and services are loaded with counters, and with `defect` if there is one. */
export function instrumentModules(instrumentor: Instrumentor, defect?: Defect): Instrumentation {
    const done: Instrumentation = { files: 0, counters: 0, planted: 0 };
    const plant = (file: string, source: string): string => {
        if (defect === undefined || !file.endsWith(defect.file)) return source;
        if (!source.includes(defect.from)) throw new InvariantError(`${file} does not contain ${defect.from}`);
        done.planted += 1;
        return source.replace(defect.from, () => defect.to);
    };
    registerHooks({
        load(url, context, nextLoad) {
            const isOurs = OURS.test(url);
            if (!url.startsWith("file:") || !(isOurs || SCHEMAS.test(url))) return nextLoad(url, context);
            const file = fileURLToPath(url);
            const source = plant(file, readFileSync(file, "utf8"));
            const code = instrumentor.instrument(isOurs ? stripTypeScriptTypes(source) : source, file)?.code;
            if (code === undefined || code === null) throw new InvariantError(`${file} cannot be instrumented`);
            done.files += 1;
            done.counters += code.match(COUNTER)?.length ?? 0;
            return { format: "module", source: code, shortCircuit: true };
        },
    });
    return done;
}
