// `postern policy …`: the command line of policies.
import type { Command } from "commander";
import { collect, type CommandPorts } from "./command-ports.ts";
import { explainPolicy, localSubject } from "./commands/policies.ts";
import { accountCipher, readConfig, withBus } from "./installation.ts";

interface ExplainOptions {
    readonly group: readonly string[];
    readonly backend?: string;
}

export function addPolicyCommands(program: Command, { configFile, output }: CommandPorts): void {
    program
        .command("policy")
        .description("look at what users may do")
        .command("explain")
        .description("show what a user may do, and which policy says so")
        .argument("<name>", "the canonical name")
        .option("--backend <name>", "the backend that verifies the user; without it a local user")
        .option("--group <name>", "a group that the backend says; may be repeated", collect, [])
        .action(async (user: string, { backend, group: groups }: ExplainOptions) => {
            const config = readConfig(configFile());
            const explain = (subject: Parameters<typeof explainPolicy>[2]): void =>
                explainPolicy(config, output(), subject, Date.now());
            if (backend !== undefined) return explain({ user, groups, backend, stated: {} });
            const cipher = await accountCipher(config);
            await withBus(config, async (bus) => {
                const subject = await localSubject(bus, cipher, user);
                explain({ ...subject, groups: [...subject.groups, ...groups] });
            });
        });
}
