// Sources that keep failing are reported to the registry, which tells every ingress to drop them.
import { BlockList, isIPv6 } from "node:net";
import type { BanQuestion } from "@postern/contracts";
import { sourceNetwork } from "@postern/ip";
import type { Logger, PeerLines } from "@postern/telemetry";
import type { Clock } from "./clock.ts";
import { RecentMap } from "./recent-map.ts";

export interface BanRules {
    /** Refusals that ban; 0 never does. */
    readonly failures: number;
    /** Milliseconds. */
    readonly window: number;
    readonly duration: number;
    /** CIDR. */
    readonly exempt: readonly string[];
}

export interface BanReporterPorts {
    readonly clock: Clock;
    readonly rules: BanRules;
    readonly instance: string;
    readonly log: Logger;
    readonly lines: Pick<PeerLines, "add">;
    /** Asks the registry. */
    readonly ask: (question: BanQuestion) => Promise<unknown>;
    /** Sources that are remembered. */
    readonly limit: number;
}

interface Failures {
    readonly count: number;
    readonly since: number;
}

export class BanReporter {
    readonly #ports: BanReporterPorts;
    readonly #exempt = new BlockList();
    readonly #failures: RecentMap<Failures>;

    constructor(ports: BanReporterPorts) {
        this.#ports = ports;
        this.#failures = new RecentMap(ports.limit);
        for (const cidr of ports.rules.exempt) {
            const [network = "", length = ""] = cidr.split("/");
            this.#exempt.addSubnet(network, Number(length), isIPv6(network) ? "ipv6" : "ipv4");
        }
    }

    /** Counts a refusal of somebody at `address`, and reports the source when it was one too many.  Never rejects. */
    async count(address: string): Promise<void> {
        const { clock, rules } = this.#ports;
        if (rules.failures === 0 || this.#exempt.check(address, isIPv6(address) ? "ipv6" : "ipv4")) return;
        const source = sourceNetwork(address);
        const now = clock.now();
        const previous = this.#failures.get(source);
        const isRecent = previous !== undefined && now - previous.since < rules.window;
        const failures = isRecent ? { ...previous, count: previous.count + 1 } : { count: 1, since: now };
        if (failures.count < rules.failures) return this.#failures.set(source, failures);
        // Starts over at once: questions that are on their way must not be asked again.
        this.#failures.delete(source);
        if (!(await this.#report(source, failures.count)))
            this.#failures.set(source, { ...failures, count: rules.failures - 1 });
    }

    async #report(source: string, count: number): Promise<boolean> {
        const { ask, instance, lines, log, rules } = this.#ports;
        const seconds = Math.ceil(rules.duration / 1000);
        try {
            await ask({ action: "add", source, seconds, reason: `${count} refused logins`, by: instance });
            lines.add("a source was banned after too many refused logins", source, {
                source,
                failures: count,
                seconds,
            });
            return true;
        } catch (error) {
            log.warn({ source, error }, "the registry could not be told to ban a source");
            return false;
        }
    }
}
