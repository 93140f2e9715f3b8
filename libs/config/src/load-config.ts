// Reads postern.yaml once, at start, into a frozen object; or says everything that is wrong with it.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { InstanceId, SERVICES, type ServiceName } from "@postern/contracts";
import { ConfigError } from "@postern/errors";
import { findings, type Finding } from "./issues.ts";
import { InvalidConfigError, type Problem } from "./problems.ts";
import { absolutePaths, deepFreeze, isTree, merge, nameReader } from "./resolve.ts";
import { rootSchema, SERVICE_SECTIONS, type Settings } from "./schema.ts";
import { YamlSource, type Path } from "./yaml-source.ts";

/** Who reads: `{instance}` is its id, `{service}` its service, and the overrides of this instance apply to that section. */
export interface Reader {
    readonly service?: ServiceName;
    readonly instance: string;
}

/** postern.yaml as one reader sees it.  Durations are milliseconds, sizes bytes, paths absolute. */
export interface Config extends Settings {
    /** The file that was read, absolute. */
    readonly file: string;
    /** The instances that the file names, by service; those it does not name may run too. */
    readonly instances: Readonly<Record<ServiceName, readonly string[]>>;
}

/** The section of a service as `Config` holds it. */
export type Section<Service extends ServiceName = ServiceName> = Config[Service];

/**
 * The whole file is checked, whoever reads it; without a reader `{instance}` stays as it is.
 * Throws `InvalidConfigError` (`CONFIG_INVALID`) with all problems and their lines.
 */
export function loadConfig(path: string, reader?: Reader): Config {
    const file = resolve(path);
    return parseConfig(read(file), file, reader);
}

/** `loadConfig` of a text; `file` is what problems are reported against and relative paths are relative to. */
export function parseConfig(text: string, file: string, reader?: Reader): Config {
    const source = new YamlSource(text);
    if (source.problems.length > 0) throw new InvalidConfigError(file, source.problems);
    const { root, instances, misplaced } = splitInstances(source.value);
    const problems = [...misplaced, ...checkAll(root, instances)].map((finding): Problem => ({
        ...source.positionOf(finding.path),
        key: finding.path.map(String).join("."),
        message: finding.message,
    }));
    if (problems.length > 0) throw new InvalidConfigError(file, withoutRepeats(problems));
    const settings = settle(root, instances, reader, dirname(file));
    const named = (service: ServiceName): readonly string[] => Object.keys(instances[service] ?? {});
    return deepFreeze({
        ...settings,
        file,
        instances: {
            ingress: named("ingress"),
            "session-worker": named("session-worker"),
            "auth-broker": named("auth-broker"),
            "session-registry": named("session-registry"),
            "audit-logger": named("audit-logger"),
        },
    });
}

type Overrides = Readonly<Partial<Record<ServiceName, Readonly<Record<string, unknown>>>>>;

function read(file: string): string {
    try {
        return readFileSync(file, "utf8");
    } catch (error) {
        throw new ConfigError("CONFIG_INVALID", `${file} cannot be read`, { cause: error });
    }
}

/** Takes `instances` out of the sections: they are partial sections of their own. */
function splitInstances(value: unknown): { root: unknown; instances: Overrides; misplaced: Finding[] } {
    if (!isTree(value)) return { root: value, instances: {}, misplaced: [] };
    const root: Record<string, unknown> = { ...value };
    const instances: Partial<Record<ServiceName, Record<string, unknown>>> = {};
    const misplaced: Finding[] = [];
    for (const service of SERVICES) {
        const section = value[service];
        if (!isTree(section) || !("instances" in section)) continue;
        const { instances: named, ...rest } = section;
        root[service] = rest;
        if (!isTree(named)) {
            misplaced.push({
                path: [service, "instances"],
                message: "expected a map from instance id to its own keys",
            });
            continue;
        }
        const kept: Record<string, unknown> = {};
        for (const [id, overrides] of Object.entries(named)) {
            const path = [service, "instances", id];
            if (!InstanceId.safeParse(id).success) {
                misplaced.push({
                    path,
                    message: "expected an id of lower-case letters, digits and hyphens, at most 63",
                });
            } else if (overrides !== null && !isTree(overrides)) {
                misplaced.push({ path, message: "expected a map of keys" });
            } else kept[id] = overrides ?? {};
        }
        instances[service] = kept;
    }
    return { root, instances, misplaced };
}

/** The file as it stands, and every section as each of its instances sees it. */
function checkAll(root: unknown, instances: Overrides): Finding[] {
    const found = check(rootSchema, root, []);
    for (const service of SERVICES) {
        for (const [id, overrides] of Object.entries(instances[service] ?? {})) {
            const base = isTree(root) ? (root[service] ?? {}) : {};
            const where = [service, "instances", id];
            const own = check(
                SERVICE_SECTIONS[service],
                nameReader(merge(base, overrides), { service, instance: id }),
                [],
            );
            // What the base section has wrong is reported there.
            for (const { path, message } of own) {
                if (isSetIn(overrides, path)) found.push({ path: [...where, ...path], message });
            }
        }
    }
    return found;
}

function check(
    schema: (typeof SERVICE_SECTIONS)[ServiceName] | typeof rootSchema,
    value: unknown,
    at: Path,
): Finding[] {
    const result = schema.safeParse(value, { reportInput: true });
    if (result.success) return [];
    return findings(schema, result.error.issues).map(({ path, message }) => ({ path: [...at, ...path], message }));
}

/** Whether `path`, or the map that would hold its last key, is in the overrides themselves. */
function isSetIn(overrides: unknown, path: Path): boolean {
    let value = overrides;
    for (const step of path) {
        if (Array.isArray(value)) return true;
        if (!isTree(value) || !(String(step) in value)) return false;
        value = value[String(step)];
    }
    return true;
}

function settle(root: unknown, instances: Overrides, reader: Reader | undefined, directory: string): Settings {
    const seen = reader === undefined ? root : nameReader(overridden(root, instances, reader), reader);
    const parsed = rootSchema.parse(seen);
    // Defaults may name the instance too.
    const named = reader === undefined ? parsed : nameReader(parsed, reader);
    return absolutePaths(rootSchema, named, directory) as Settings; // strings become strings: the type stays
}

function overridden(root: unknown, instances: Overrides, { service, instance }: Reader): unknown {
    return service === undefined ? root : merge(root, { [service]: instances[service]?.[instance] ?? {} });
}

function withoutRepeats(problems: readonly Problem[]): Problem[] {
    return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}
