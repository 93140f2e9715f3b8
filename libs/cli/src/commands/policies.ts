// `postern policy explain`: what a user may do, and which rule says so.
import { openAccount, type AccountCipher } from "@postern/accounts";
import type { Bus } from "@postern/bus";
import { LOCAL_BACKEND, type Config } from "@postern/config";
import { BUCKETS, encodeKey } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { openUntil, resolvePolicy, type PolicySubject } from "@postern/policy";
import type { Column, Output } from "../output.ts";

interface Row {
    readonly key: string;
    readonly value: unknown;
    readonly from: string;
}

const columns: readonly Column<Row>[] = [
    { title: "KEY", value: ({ key }) => key },
    { title: "VALUE", value: ({ value }) => (typeof value === "string" ? value : JSON.stringify(value)) },
    { title: "FROM", value: ({ from }) => from },
];

/** A local user as a broker would see it. */
export async function localSubject(bus: Bus, cipher: AccountCipher, user: string): Promise<PolicySubject> {
    const entry = await (await bus.bucket(BUCKETS.accounts)).get(encodeKey(user));
    if (entry === undefined) {
        const hint = "of a user of another backend say `--backend` and `--group`";
        throw new DependencyError("CLI_NOT_FOUND", `there is no local user ${user}; ${hint}`);
    }
    const { groups, policy } = openAccount(cipher, entry.value);
    return { user, groups, backend: LOCAL_BACKEND, stated: policy };
}

/** `now`: milliseconds since 1970. */
export function explainPolicy(config: Config, output: Output, subject: PolicySubject, now: number): void {
    const { policy, hours, origins } = resolvePolicy(config["auth-broker"].policies, subject);
    const values: Readonly<Record<string, unknown>> = { ...policy, ...(hours === undefined ? {} : { hours }) };
    const rows = [...origins].map(([key, rule]) => ({
        key,
        value: values[key],
        from: rule === undefined ? `backend ${subject.backend}` : `policy ${rule}`,
    }));
    const state = hours === undefined ? [] : [stateRow(openUntil(hours, now))];
    output.list(
        [...rows, ...state],
        columns,
        `nothing is said of ${subject.user}: the defaults of session-registry hold`,
    );
}

const stateRow = (end: number | "closed" | "always"): Row => ({
    key: "connected",
    value: typeof end === "number" ? `until ${new Date(end).toISOString()}` : end === "closed" ? "not now" : "always",
    from: "hours",
});
