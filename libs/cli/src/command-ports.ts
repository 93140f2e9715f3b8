// What every command gets to work with.
import { duration } from "@postern/config";
import { InvalidArgumentError } from "commander";
import type { ExitStatus } from "./exit-status.ts";
import type { Output } from "./output.ts";

export interface Terminal {
    readonly stdin: NodeJS.ReadStream;
    readonly stdout: NodeJS.WriteStream;
    readonly stderr: NodeJS.WriteStream;
    /** Aborted by Ctrl-C. */
    readonly interrupted: AbortSignal;
    /** postern.yaml, unless an option or POSTERN_CONFIG names another. */
    readonly defaultConfig: string;
}

/** Functions, because options are known only when a command runs. */
export interface CommandPorts {
    readonly configFile: () => string;
    readonly output: () => Output;
    readonly terminal: Terminal;
    /** For commands that do not simply succeed or throw. */
    readonly setStatus: (status: ExitStatus) => void;
}

/** An option's `30s`, `10m`, in milliseconds. */
export function milliseconds(text: string): number {
    const parsed = duration().safeParse(text);
    if (!parsed.success) throw new InvalidArgumentError("It must be a duration such as 30s, 10m, 2h or 7d.");
    return parsed.data;
}

/** For options that may be repeated. */
export const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
