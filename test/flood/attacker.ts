// An attack that runs in another process.
import { once } from "node:events";
import path from "node:path";
import { InvariantError } from "@postern/errors";
import { spawnBound } from "@postern/testkit";
import type { AttackOptions, AttackReport } from "./attack/attack.ts";
import type { AttackName } from "./attack/attack-name.ts";

const PROGRAM = path.join(import.meta.dirname, "attack/attack-main.ts");

export class Attacker {
    readonly #child: ReturnType<typeof spawnBound>;
    /** Resolves when the attack is over. */
    readonly report: Promise<AttackReport>;

    constructor(name: AttackName, options: AttackOptions) {
        this.#child = spawnBound(process.execPath, [PROGRAM, name, JSON.stringify(options)], {
            stdio: ["pipe", "pipe", "inherit"],
        });
        this.report = this.#read(name);
    }

    /** Ends the attack early. */
    stop(): Promise<AttackReport> {
        this.#child.stdin?.end();
        return this.report;
    }

    async #read(name: AttackName): Promise<AttackReport> {
        let text = "";
        this.#child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
        const [status] = (await once(this.#child, "close")) as [number | null]; // null after a signal
        if (status !== 0) throw new InvariantError(`attack ${name} ended with status ${String(status)}`);
        return JSON.parse(text) as AttackReport; // what attack-main.ts writes
    }
}
