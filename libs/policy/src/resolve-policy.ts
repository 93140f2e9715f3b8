// The policy of one user: all rules that fit in their order, then what the backend said.
import type { StatedPolicy } from "@postern/contracts";
import { fits, type PolicyRule, type PolicySubject, type PolicyValues } from "./policy-rule.ts";
import type { WorkingHours } from "./working-hours.ts";

export interface ResolvedPolicy {
    readonly policy: StatedPolicy;
    /** When the user may be connected; `undefined`: always. */
    readonly hours: WorkingHours | undefined;
    /** For each value, in the order of its name: the rule that gave it, or `undefined` where the backend did. */
    readonly origins: ReadonlyMap<string, string | undefined>;
}

/** Never refuses: whether the hours are over is `openUntil`'s to say. */
export function resolvePolicy(rules: readonly PolicyRule[], subject: PolicySubject): ResolvedPolicy {
    const fitting = rules.filter((rule) => fits(rule, subject));
    const values = [
        ...fitting.flatMap(({ name, set }) =>
            Object.entries(valuesOf(set)).map(([key, value]) => ({ key, value, origin: name })),
        ),
        ...Object.entries(subject.stated).map(([key, value]) => ({ key, value, origin: undefined })),
    ].filter(({ value }) => value !== undefined);
    const origins = new Map(values.map(({ key, origin }) => [key, origin] as const));
    const merged: StatedPolicy & { hours?: WorkingHours } = Object.fromEntries(
        values.map(({ key, value }) => [key, value]),
    );
    const { hours, ...policy } = merged;
    return { policy, hours, origins: new Map([...origins].sort(([a], [b]) => a.localeCompare(b))) };
}

/** In the words and units of the contract. */
function valuesOf({ address, sessionTimeout, idleTimeout, dns, routes, ...rest }: PolicyValues): StatedPolicy & {
    hours?: WorkingHours | undefined;
} {
    return {
        ...rest,
        ...(dns === undefined ? {} : { dns: [...dns] }),
        ...(routes === undefined ? {} : { routes: [...routes] }),
        ...(address === undefined ? {} : { framedAddress: address }),
        ...(sessionTimeout === undefined ? {} : { sessionTimeout: seconds(sessionTimeout) }),
        ...(idleTimeout === undefined ? {} : { idleTimeout: seconds(idleTimeout) }),
    };
}

const seconds = (milliseconds: number): number => Math.ceil(milliseconds / 1_000);
