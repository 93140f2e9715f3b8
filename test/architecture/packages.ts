// What the architecture tests look at: the packages of this repository and their files.
import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "../..");

/** design.md part 6: a package imports lower ranks only. */
export const RANKS: Readonly<Record<string, number>> = {
    bytes: 0,
    errors: 0,
    sstp: 1,
    ppp: 1,
    ip: 1,
    "proxy-protocol": 1,
    "client-hello": 1,
    contracts: 1,
    radius: 1,
    eap: 1,
    accounts: 2,
    "audit-log": 2,
    bus: 2,
    config: 2,
    outbox: 2,
    pki: 2,
    policy: 2,
    "radius-client": 2,
    sealing: 2,
    tcp: 2,
    telemetry: 2,
    tun: 2,
    cli: 3,
    launcher: 3,
    service: 3,
    "sstp-client": 3,
};

/** `errors` is the one rank 0 package that another rank 0 package imports. */
export const SAME_RANK_ALLOWED: readonly string[] = ["bytes -> errors"];

export const SERVICE_RANK = 4;
export const PURE_RANK = 1;

export interface Package {
    readonly name: string;
    readonly folder: string;
    readonly rank: number;
    readonly isTestOnly: boolean;
    readonly exports: Readonly<Record<string, string>>;
    readonly dependencies: readonly string[];
    readonly devDependencies: readonly string[];
}

/** Files that git tracks or would track. */
export function listFiles(...patterns: readonly string[]): readonly string[] {
    const listing = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "--", ...patterns], {
        cwd: ROOT,
    });
    const deleted = new Set(
        execFileSync("git", ["ls-files", "--deleted"], { cwd: ROOT, encoding: "utf8" }).split("\n"),
    );
    return listing
        .toString()
        .split("\n")
        .filter((file) => file !== "" && !deleted.has(file));
}

export const readText = (file: string): string => readFileSync(path.join(ROOT, file), "utf8");

interface Manifest {
    readonly exports?: Readonly<Record<string, string>>;
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly devDependencies?: Readonly<Record<string, string>>;
}

export function listPackages(): readonly Package[] {
    return listFiles("libs/*/package.json", "services/*/package.json").map((file) => {
        const folder = path.dirname(file);
        const name = path.basename(folder);
        const manifest = JSON.parse(readText(file)) as Manifest; // npm's form
        return {
            name,
            folder,
            rank: folder.startsWith("services/") ? SERVICE_RANK : (RANKS[name] ?? Number.NaN),
            isTestOnly: name === "testkit",
            exports: manifest.exports ?? {},
            dependencies: Object.keys(manifest.dependencies ?? {}),
            devDependencies: Object.keys(manifest.devDependencies ?? {}),
        };
    });
}

const IMPORT =
    /(?:^|\n)\s*(?:import|export)\s[^;"']*?from\s+["']([^"']+)["']|(?:^|\n)\s*import\s+["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)/g;

/** Every module specifier that a file imports or re-exports. */
export function importsOf(file: string): readonly string[] {
    return [...readText(file).matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}
