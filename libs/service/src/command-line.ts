// Every service is started as `node services/<name>/src/main.ts --config <postern.yaml> --instance <id>`.
import { parseArgs } from "node:util";
import { InstanceId } from "@postern/contracts";
import { ConfigError } from "@postern/errors";

export interface CommandLine {
    readonly config: string;
    readonly instance: string;
}

/** Throws `CONFIG_INVALID` for anything but the two options, both given. */
export function parseCommandLine(args: readonly string[]): CommandLine {
    const { config, instance } = options(args);
    if (config === undefined || instance === undefined) {
        throw new ConfigError("CONFIG_INVALID", "--config <postern.yaml> and --instance <id> are both needed");
    }
    const id = InstanceId.safeParse(instance);
    if (!id.success) {
        throw new ConfigError(
            "CONFIG_INVALID",
            `--instance "${instance}": lower-case letters, digits and hyphens, at most 63`,
        );
    }
    return { config, instance: id.data };
}

function options(args: readonly string[]): { config?: string | undefined; instance?: string | undefined } {
    try {
        const known = { config: { type: "string" }, instance: { type: "string" } } as const;
        return parseArgs({ args: [...args], options: known, strict: true }).values;
    } catch (error) {
        throw new ConfigError("CONFIG_INVALID", `the command line is not understood`, { cause: error });
    }
}
