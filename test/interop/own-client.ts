// Our own client as a process in a namespace: it needs no machine, and no TUN device.
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { SstpClientOptions } from "@postern/sstp-client";
import type { NetworkNamespace } from "./network-namespace.ts";

const PROGRAM = fileURLToPath(new URL("own-client-main.ts", import.meta.url));

export interface OwnDial {
    readonly options: SstpClientOptions;
    /** Inner addresses that must answer pings of all sizes; without an answer the dial rejects. */
    readonly targets: readonly string[];
}

export type OwnResult =
    | { readonly kind: "connected"; readonly address: string }
    | { readonly kind: "failed"; readonly step: string; readonly reason: string; readonly detail: string };

export interface OwnConnection {
    readonly result: OwnResult;
    /** Ends the session if there is one; resolves when the process is gone. */
    readonly hangUp: () => Promise<void>;
}

/** Dials, once. */
export async function dialWithOurs(namespace: NetworkNamespace, dial: OwnDial): Promise<OwnConnection> {
    const { NODE_TEST_CONTEXT: _runner, ...env } = process.env;
    const client = namespace.spawn(process.execPath, [PROGRAM], { env, stdio: ["pipe", "pipe", "pipe"] });
    let [output, errors] = ["", ""];
    client.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
    client.stderr?.setEncoding("utf8").on("data", (text: string) => (errors += text));
    const closed = once(client, "close");
    client.stdin?.write(`${JSON.stringify(dial)}\n`);
    if (client.stdout === null) throw new Error("the client has no output");
    await Promise.race([once(client.stdout, "data"), closed]);
    if (output === "") throw new Error(`the client said nothing:\n${errors}`);
    const result: OwnResult = JSON.parse(output);
    return {
        result,
        hangUp: async () => {
            client.stdin?.end();
            await closed;
        },
    };
}
