// `postern user …`: the command line of local users.
import { generatePassword } from "@postern/accounts";
import { InvalidArgumentError, type Command } from "commander";
import { addUser, listUsers, removeUser, setDisabled, setPassword, type UserPorts } from "./commands/users.ts";
import { accountCipher, readConfig, withBus } from "./installation.ts";
import { readPassword } from "./password-input.ts";
import { collect, type CommandPorts } from "./command-ports.ts";

interface AddOptions {
    readonly group: readonly string[];
    readonly generate?: boolean;
    readonly reversible?: boolean;
    readonly pool?: string;
    readonly address?: string;
    readonly maxSessions?: number;
}

const count = (text: string): number => {
    if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 1.");
    return Number(text);
};

export function addUserCommands(program: Command, { configFile, output, terminal }: CommandPorts): void {
    /** Asks for what only a person knows before the bus is connected. */
    const password = async (name: string, generate: boolean): Promise<{ password: string; tell: boolean }> =>
        generate
            ? { password: generatePassword(), tell: true }
            : { password: await readPassword(name, { input: terminal.stdin, output: terminal.stderr }), tell: false };
    const withUsers = async (work: (ports: UserPorts) => Promise<void>): Promise<void> => {
        const config = readConfig(configFile());
        const cipher = await accountCipher(config);
        await withBus(config, (bus) => work({ bus, config, cipher, output: output() }));
    };
    const user = program
        .command("user")
        .description("manage local users; passwords come from a prompt or standard input");
    user.command("add")
        .description("add a user")
        .argument("<name>")
        .option("--group <name>", "a group of the user; may be repeated", collect, [])
        .option("--pool <name>", "address pool of the user's sessions")
        .option("--address <ip>", "fixed inner address")
        .option("--max-sessions <number>", "sessions at once", count)
        .option("--reversible", "keep the password so that CHAP can be verified, too")
        .option("--generate", "make a random password and print it")
        .action(async (name: string, { group, generate = false, ...rest }: AddOptions) => {
            const secret = await password(name, generate);
            await withUsers((ports) => addUser(ports, { name, groups: group, ...rest, ...secret }));
        });
    user.command("passwd")
        .description("change a user's password")
        .argument("<name>")
        .option("--reversible", "keep the password so that CHAP can be verified; default: as it was")
        .option("--no-reversible", "keep nothing that CHAP can be verified with")
        .option("--generate", "make a random password and print it")
        .action(async (name: string, { generate = false, reversible }: Pick<AddOptions, "generate" | "reversible">) => {
            const secret = await password(name, generate);
            await withUsers((ports) => setPassword(ports, name, { ...secret, reversible }));
        });
    user.command("disable")
        .description("refuse a user, keeping the account")
        .argument("<name>")
        .action((name: string) => withUsers((ports) => setDisabled(ports, name, true)));
    user.command("enable")
        .description("accept a disabled user again")
        .argument("<name>")
        .action((name: string) => withUsers((ports) => setDisabled(ports, name, false)));
    user.command("remove")
        .description("remove a user for good")
        .argument("<name>")
        .action((name: string) => withUsers((ports) => removeUser(ports, name)));
    user.command("list")
        .description("list users")
        .action(() => withUsers(listUsers));
}
