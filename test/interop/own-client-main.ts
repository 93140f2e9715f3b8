// Our own client, for methods that others cannot do: the first line of its standard input has the options, as JSON.  It says how the
// dial went in one line, and hangs up when the input ends.
import { createInterface } from "node:readline";
import { DialError, SstpClient } from "@postern/sstp-client";
import type { OwnDial, OwnResult } from "./own-client.ts";

const PINGS = 50;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { value } = await lines.next();
const { options, targets }: OwnDial = JSON.parse(String(value));

function say(result: OwnResult): void {
    process.stdout.write(`${JSON.stringify(result)}\n`);
}

try {
    const client = await SstpClient.connect(options);
    for (const target of targets) {
        for (let size = 0; size < PINGS; size += 1) await client.ping(target, { size: size * 20 });
    }
    say({ kind: "connected", address: client.address ?? "" });
    await lines.next();
    await client.disconnect();
} catch (error) {
    if (!(error instanceof DialError)) throw error;
    say({ kind: "failed", step: error.step, reason: error.end.reason, detail: error.end.detail });
}
