// Passwords come from a terminal that does not show them, from standard input, or are generated; never from an argument.
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import type { ReadStream } from "node:tty";
import { Writable } from "node:stream";
import { ConfigError } from "@postern/errors";

interface Terminal {
    readonly input: NodeJS.ReadableStream & Partial<Pick<ReadStream, "isTTY">>;
    readonly output: NodeJS.WritableStream;
}

/** At a terminal asks twice; otherwise reads all of standard input, whose last line end is not part of the password. */
export async function readPassword(user: string, { input, output }: Terminal): Promise<string> {
    const password =
        input.isTTY === true ? await ask(user, { input, output }) : (await text(input)).replace(/\r?\n$/, "");
    if (password === "")
        throw new ConfigError("CLI_USAGE", "no password was given: type one, pipe one in, or use --generate");
    if (/[\r\n]/.test(password)) throw new ConfigError("CLI_USAGE", "standard input holds more than one line");
    return password;
}

async function ask(user: string, { input, output }: Terminal): Promise<string> {
    const password = await hiddenLine(`Password for ${user}: `, { input, output });
    const again = await hiddenLine("The same again: ", { input, output });
    if (password !== again) throw new ConfigError("CLI_USAGE", "the two passwords differ");
    return password;
}

function hiddenLine(prompt: string, { input, output }: Terminal): Promise<string> {
    output.write(prompt);
    // readline echoes to its output; this one shows nothing.
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    const lines = createInterface({ input, output: nowhere, terminal: true });
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    lines.once("line", resolve);
    lines.once("SIGINT", () => reject(new ConfigError("CLI_USAGE", "interrupted")));
    lines.once("close", () => reject(new ConfigError("CLI_USAGE", "the input ended")));
    return promise.finally(() => {
        lines.close();
        output.write("\n");
    });
}
