// Applies and removes the rules of firewall-ruleset.ts: one nft process at start and one at stop.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { DependencyError } from "@postern/errors";
import { firewallRuleset, removalCommands, type FirewallOptions } from "./firewall-ruleset.ts";

const TIMEOUT_MS = 10_000;
const QUOTED_OUTPUT = 300;

/** The nftables table of one instance. */
export class Firewall {
    readonly #options: FirewallOptions;
    readonly #program: string;

    constructor(options: FirewallOptions, program = "nft") {
        this.#options = options;
        this.#program = program;
    }

    /** Puts the rules in place, replacing what an earlier run of the same owner left behind, in one transaction. */
    async apply(): Promise<void> {
        await this.#run(firewallRuleset(this.#options));
    }

    /** Deletes the rules; does nothing where there are none. */
    async remove(): Promise<void> {
        await this.#run(removalCommands(this.#options.owner));
    }

    async #run(commands: string): Promise<void> {
        const { code, output } = await runNft(this.#program, commands);
        if (code === 0) return;
        if (code === null) throw new DependencyError("FIREWALL_UNAVAILABLE", `${this.#program} did not finish in time`);
        const reason = output.trim().slice(0, QUOTED_OUTPUT) || `exit status ${code}`;
        throw new DependencyError("FIREWALL_REJECTED", `${this.#program}: ${reason}`);
    }
}

async function runNft(program: string, commands: string): Promise<{ code: number | null; output: string }> {
    const child = spawn(program, ["-f", "-"], {
        // A service's PATH often lacks the folders that Debian keeps nft in.
        env: { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`, LC_ALL: "C" },
        stdio: ["pipe", "ignore", "pipe"],
        timeout: TIMEOUT_MS,
    });
    // A program that exits without reading breaks the pipe; its exit status says more than that.
    child.stdin.on("error", () => undefined);
    child.stdin.end(commands);
    try {
        const [output, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
        return { code: code as number | null, output }; // "close" has the exit status first, or null after a signal
    } catch (cause) {
        throw new DependencyError("FIREWALL_UNAVAILABLE", `${program} cannot be run; install nftables`, { cause });
    }
}
