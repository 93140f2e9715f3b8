// `postern bans`: sources whose connections every ingress drops.
import type { Bus } from "@postern/bus";
import { registryBan, type BanRecord } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { operator } from "../installation.ts";
import type { Column, Output } from "../output.ts";
import { formatElapsed } from "../units.ts";

const columns: readonly Column<BanRecord>[] = [
    { title: "SOURCE", value: ({ source }) => written(source) },
    { title: "LEFT", value: ({ until }) => formatElapsed(Date.parse(until) - Date.now()), align: "right" },
    { title: "BY", value: ({ by }) => by },
    { title: "REASON", value: ({ reason }) => reason },
];

async function readBans(bus: Bus): Promise<BanRecord[]> {
    return (await bus.ask(bus.subjects.registry.ban, registryBan, { action: "list" })).bans;
}

export const listBans = async (bus: Bus, output: Output): Promise<void> =>
    output.list(await readBans(bus), columns, "no bans");

export async function addBan(
    bus: Bus,
    output: Output,
    source: string,
    milliseconds: number,
    reason: string,
): Promise<void> {
    const seconds = Math.max(1, Math.ceil(milliseconds / 1000));
    const ban = { action: "add", source, seconds, reason, by: operator() } as const;
    const { bans } = await bus.ask(bus.subjects.registry.ban, registryBan, ban);
    const banned = bans[0]?.source ?? source;
    output.result(
        { source: banned, seconds, reason },
        `${written(banned)} is banned for ${formatElapsed(milliseconds)}`,
    );
}

export async function liftBan(bus: Bus, output: Output, source: string): Promise<void> {
    const question = { action: "lift", source, by: operator() } as const;
    const [lifted] = (await bus.ask(bus.subjects.registry.ban, registryBan, question)).bans;
    if (lifted === undefined) throw new DependencyError("CLI_NOT_FOUND", `${source} is not banned`);
    output.result({ source: lifted.source }, `${written(lifted.source)} is no longer banned`);
}

/** An IPv6 address stands for its /64, which one subscriber has all of. */
const written = (source: string): string => (source.includes(":") ? `${source}/64` : source);

/** A source as the tables print it, or any address of it, as the registry takes it. */
export const parseSource = (text: string): string => (text.includes(":") ? text.replace(/\/64$/, "") : text);
