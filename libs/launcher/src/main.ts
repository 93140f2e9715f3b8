// `make start`.
import { fileURLToPath } from "node:url";
import { loadConfig } from "@postern/config";
import { SERVICES } from "@postern/contracts";
import { PosternError } from "@postern/errors";
import { createConsole } from "./console.ts";
import { lockDirectory } from "./directory-lock.ts";
import { Launch } from "./launch.ts";
import { portHolder } from "./port-holder.ts";
import { launchSettings } from "./settings.ts";
import { ensureDirectory, exists } from "./state/files.ts";
import { stateLayout } from "./state/layout.ts";
import { prepareState } from "./state/prepare.ts";

const KILLED = 130;
const root = fileURLToPath(new URL("../../../", import.meta.url));
const stop = new AbortController();
let launch: Launch | undefined;

// Whoever read our lines is gone; the children still need us.
process.stdout.on("error", () => undefined);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
        if (!stop.signal.aborted) return stop.abort(signal);
        launch?.kill();
        process.exit(KILLED);
    });
}

process.exitCode = await main();

async function main(): Promise<number> {
    let console = createConsole(process.stdout, []);
    try {
        const settings = launchSettings(process.env, root);
        const layout = stateLayout(settings.directory);
        await ensureDirectory(layout.directory);
        const unlock = await lockDirectory(layout.pidFile, () => heldPorts(layout.config));
        try {
            const installation = await prepareState(layout, settings, (message) => console.say("info", message));
            const { instances } = installation.config;
            console = createConsole(
                process.stdout,
                SERVICES.flatMap((service) => instances[service]),
            );
            launch = new Launch(installation, settings, console, stop.signal);
            return await run(launch, console);
        } finally {
            await unlock();
        }
    } catch (error) {
        if (!(error instanceof PosternError)) throw error;
        // Expected, and said in its sentence; the stack would only hide it.
        const because = error.cause instanceof Error ? ` (because: ${error.cause.message})` : "";
        for (const line of `cannot start: ${error.message}${because}`.split("\n")) console.say("fatal", line);
        return 1;
    }
}

/** Somebody who starts a second launcher is told what the first one holds. */
async function heldPorts(config: string): Promise<string> {
    if (!(await exists(config))) return "";
    const ports = loadConfig(config).ingress.listen.map(({ port }) => port);
    const holders = ports.map(async (port) => `port ${port}: ${(await portHolder(port)) ?? "nobody yet"}`);
    return (await Promise.all(holders)).join("; ");
}

async function run(current: Launch, console: ReturnType<typeof createConsole>): Promise<number> {
    try {
        await current.start();
        if (!stop.signal.aborted) await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
        return 0;
    } catch (error) {
        // A stop while starting is no failure of the start.
        if (!stop.signal.aborted) throw error;
        return 0;
    } finally {
        console.say("info", stop.signal.aborted ? `stopping (${String(stop.signal.reason)})` : "stopping");
        await current.stop();
        console.say("info", "stopped");
    }
}
