// The launcher's voice: its own lines and those of its children, one after the other on standard output.
import { formatLine, type Level, type LogLine } from "./log-format.ts";

export interface Console {
    /** A line of the child `name`. */
    line(name: string, line: LogLine): void;
    /** A line of the launcher itself. */
    say(level: Level, message: string, fields?: Readonly<Record<string, unknown>>): void;
    /** Text as it is, for instructions. */
    print(text: string): void;
}

interface Output {
    write(text: string): unknown;
    readonly isTTY?: boolean;
}

const SELF = "launcher";

export function createConsole(output: Output, names: readonly string[], clock: () => number = Date.now): Console {
    const format = {
        colour: output.isTTY === true && process.env["NO_COLOR"] === undefined,
        nameWidth: Math.max(SELF.length, ...names.map((name) => name.length)),
    };
    const line = (name: string, content: LogLine): void => {
        output.write(`${formatLine(name, content, clock(), format)}\n`);
    };
    return {
        line,
        say: (level, message, fields = {}) => line(SELF, { time: undefined, level, message, fields }),
        print: (text) => void output.write(`${text}\n`),
    };
}
