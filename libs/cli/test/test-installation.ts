// An installation for tests of commands: a real NATS server with everything applied, a configuration, an account key.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AccountCipher } from "@postern/accounts";
import { createSigningKey } from "@postern/audit-log";
import { applyBus, connectBus, type Bus } from "@postern/bus";
import type { Config } from "@postern/config";
import { generateRecordKey, formatKey } from "@postern/sealing";
import { createTemporaryDirectory, silentLog, startNatsServer } from "@postern/testkit";
import { accountCipher, readConfig } from "../src/installation.ts";
import { Output } from "../src/output.ts";

export interface TestInstallation extends AsyncDisposable {
    readonly directory: string;
    readonly config: Config;
    readonly bus: Bus;
    readonly cipher: AccountCipher;
    /** Runs `act` with an output as a program gets it, and returns what it printed. */
    printed(act: (output: Output) => Promise<void>): Promise<string>;
    /** The same with `--json`, parsed. */
    json(act: (output: Output) => Promise<void>): Promise<unknown>;
}

export async function createInstallation(): Promise<TestInstallation> {
    const stack = new AsyncDisposableStack();
    const nats = stack.use(await startNatsServer());
    const { path: directory } = stack.use(await createTemporaryDirectory());
    const file = join(directory, "postern.yaml");
    await mkdir(join(directory, "keys"));
    await writeFile(join(directory, "keys/accounts.key"), formatKey("accounts", generateRecordKey()), { mode: 0o600 });
    await writeFile(join(directory, "keys/audit.key"), createSigningKey(), { mode: 0o600 });
    await writeFile(
        file,
        [
            "name: gw.example.com",
            `nats: { servers: ["${nats.url}"] }`,
            // The test server has little room.
            "bus: { eventsMaxBytes: 64MiB }",
            "auth-broker: { accountsKey: keys/accounts.key }",
            "audit-logger: { signingKey: keys/audit.key }",
            "",
        ].join("\n"),
    );
    const config = readConfig(file);
    const bus = await connectBus({ servers: [nats.url], instance: "admin", tenant: config.tenant, log: silentLog });
    stack.defer(() => bus.close());
    await applyBus(bus, config.bus);
    const print = async (json: boolean, act: (output: Output) => Promise<void>): Promise<string> => {
        let written = "";
        await act(new Output({ write: (text) => (written += text) }, json));
        return written;
    };
    return {
        directory,
        config,
        bus,
        cipher: await accountCipher(config),
        printed: (act) => print(false, act),
        json: async (act) => JSON.parse(await print(true, act)),
        [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
}
