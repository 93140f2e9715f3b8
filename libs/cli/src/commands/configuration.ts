// `postern config check` and `postern config schema`.
import { configJsonSchema, describeProblem, InvalidConfigError, loadConfig } from "@postern/config";
import { SERVICES } from "@postern/contracts";
import { EXIT, type ExitStatus } from "../exit-status.ts";
import type { Output } from "../output.ts";

/** Every problem on a line of its own: `postern.yaml:12:5: ingress.listen: …` */
export function checkConfig(file: string, output: Output): ExitStatus {
    try {
        const config = loadConfig(file);
        const counts = SERVICES.map((service) => `${config.instances[service].length} ${service}`);
        output.result(
            { file: config.file, valid: true, name: config.name, instances: config.instances },
            `${config.file} is valid: ${config.name}, ${counts.join(", ")}`,
        );
        return EXIT.ok;
    } catch (error) {
        if (!(error instanceof InvalidConfigError)) throw error;
        const { problems } = error;
        if (output.json) output.result({ file: error.file, valid: false, problems }, "");
        else for (const problem of problems) output.text(describeProblem(error.file, problem));
        return EXIT.badConfig;
    }
}

export const printConfigSchema = (output: Output): void =>
    output.text(JSON.stringify(configJsonSchema(), undefined, 2));
