// A network of the test's own, by iproute2's named network namespaces.
import { execFile, execFileSync, type ChildProcess, type SpawnOptions } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { eventually, spawnBound } from "@postern/testkit";
import { onProcessEnd } from "./process-end.ts";

const PREFIX = "postern";
const DIRECTORY = "/run/netns";
const COMMAND_LIMIT_MS = 30_000;

export class NetworkNamespace implements AsyncDisposable {
    readonly name: string;
    readonly #withdrawCleanup: () => void;

    private constructor(name: string) {
        this.name = name;
        this.#withdrawCleanup = onProcessEnd(() => removeNow(name));
    }

    /**
     * A new namespace with its loopback up.  Its name carries this process's id and start time, by which a later run
     * recognises what a killed one has left.
     */
    static async create(role: string): Promise<NetworkNamespace> {
        const name = `${PREFIX}-${process.pid}-${startTime(process.pid)}-${nextNumber()}-${role}`;
        await execute("ip", ["netns", "add", name]);
        const namespace = new NetworkNamespace(name);
        await namespace.ip("link", "set", "lo", "up");
        return namespace;
    }

    /** `ip` with this namespace as its network; resolves with what it prints. */
    async ip(...args: readonly string[]): Promise<string> {
        return execute("ip", ["-netns", this.name, ...args]);
    }

    /** Runs a command to its end; rejects with its output when it fails or takes longer than 30 s. */
    async run(command: string, ...args: readonly string[]): Promise<string> {
        return execute(...this.#inside(command, args));
    }

    /** Starts a process that ends with the test process, and at the latest when the namespace is disposed of. */
    spawn(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
        return spawnBound(...this.#inside(command, args), options);
    }

    /** Ends what still runs in the namespace and removes it. */
    async [Symbol.asyncDispose](): Promise<void> {
        await eventually(
            async () => {
                const stdout = await execute("ip", ["netns", "pids", this.name]);
                const remaining = stdout.split(/\s+/u).filter((pid) => pid !== "");
                for (const pid of remaining) process.kill(Number(pid), "SIGKILL");
                return remaining.length === 0;
            },
            { what: `the processes in ${this.name} to end` },
        );
        this.#withdrawCleanup();
        await execute("ip", ["netns", "delete", this.name]);
    }

    #inside(command: string, args: readonly string[]): [string, string[]] {
        return ["ip", ["netns", "exec", this.name, command, ...args]];
    }
}

/** Unlike the error of `execFile`, the failure shows both outputs: many programs explain themselves on the wrong one. */
async function execute(command: string, args: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
        execFile(command, [...args], { timeout: COMMAND_LIMIT_MS, killSignal: "SIGKILL" }, (error, stdout) => {
            if (error === null) resolve(stdout);
            else reject(new Error(`${error.message}${stdout}`, { cause: error }));
        });
    });
}

/** Removes namespaces whose test process no longer runs; returns their names, for the test's output. */
export function removeLeftoverNamespaces(): readonly string[] {
    const leftovers = listNamespaces().filter((name) => {
        const [, pid, started] = /^postern-(\d+)-(\d+)-/u.exec(name) ?? [];
        return pid !== undefined && started !== startTime(Number(pid));
    });
    for (const name of leftovers) removeNow(name);
    return leftovers;
}

/** Synchronous, because it also runs while the process exits.  Bound child processes die with their parent anyway. */
function removeNow(name: string): void {
    try {
        const pids = execFileSync("ip", ["netns", "pids", name], { encoding: "utf8" }).split(/\s+/u);
        for (const pid of pids.filter((pid) => pid !== "")) killNow(Number(pid));
        execFileSync("ip", ["netns", "delete", name]);
    } catch (error) {
        // Two test processes may find the same leftover; the loser's complaint must not fail its tests.
        process.emitWarning(`network namespace ${name} could not be removed: ${String(error)}`);
    }
}

/** One that ends by itself meanwhile, because its peer has gone, is as good as killed. */
function killNow(pid: number): void {
    try {
        process.kill(pid, "SIGKILL");
    } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
}

function listNamespaces(): readonly string[] {
    try {
        return readdirSync(DIRECTORY).filter((name) => name.startsWith(`${PREFIX}-`));
    } catch (error) {
        // The directory appears with the first namespace that is ever made on a host.
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
        throw error;
    }
}

/** When a process started, in clock ticks since boot: with its id, this names it for good.  Proc(5), stat, field 22. */
function startTime(pid: number): string | undefined {
    try {
        const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
        return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
        throw error;
    }
}

let lastNumber = 0;
const nextNumber = (): number => (lastNumber += 1);
