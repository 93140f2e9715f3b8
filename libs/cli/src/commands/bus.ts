// `postern bus apply`: streams, buckets and consumers as the contracts want them.
import { applyBus, type Bus } from "@postern/bus";
import type { Config } from "@postern/config";
import type { Output } from "../output.ts";

export async function applyLayout(bus: Bus, config: Config, output: Output): Promise<void> {
    const report = await applyBus(bus, config.bus);
    const parts = [
        ["created", report.created],
        ["updated", report.updated],
        ["unchanged", report.unchanged],
    ] as const;
    const words = parts.flatMap(([word, names]) => (names.length === 0 ? [] : [`${word}: ${names.join(", ")}`]));
    output.result(report, words.join("; "));
}
