// A rule of `auth-broker.policies`: whom it is for, and what it sets.
import type { StatedPolicy } from "@postern/contracts";
import type { WorkingHours } from "./working-hours.ts";

/** What a rule may set; what it leaves out is as earlier rules have it. */
export interface PolicyValues {
    readonly pool?: string | undefined;
    /** A fixed inner IPv4 address. */
    readonly address?: string | undefined;
    readonly dns?: readonly string[] | undefined;
    /** IPv4 networks behind the tunnel, `10.0.0.0/8`. */
    readonly routes?: readonly string[] | undefined;
    readonly searchSuffix?: string | undefined;
    readonly maxSessions?: number | undefined;
    readonly onLimit?: "deny" | "replace" | undefined;
    /** Milliseconds. */
    readonly sessionTimeout?: number | undefined;
    /** Milliseconds without inner traffic. */
    readonly idleTimeout?: number | undefined;
    readonly hours?: WorkingHours | undefined;
}

/** Every condition that is there must hold; one without conditions is for everybody. */
export interface PolicyRule {
    readonly name: string;
    /** Any of these. */
    readonly groups?: readonly string[] | undefined;
    /** Any of these principals. */
    readonly users?: readonly string[] | undefined;
    /** Verified by any of these backends. */
    readonly backends?: readonly string[] | undefined;
    readonly set: PolicyValues;
}

/** Who has been verified, and by whom. */
export interface PolicySubject {
    readonly user: string;
    readonly groups: readonly string[];
    readonly backend: string;
    /** What the backend said of the user. */
    readonly stated: StatedPolicy;
}

export function fits({ groups, users, backends }: PolicyRule, subject: Omit<PolicySubject, "stated">): boolean {
    return (
        (groups?.some((group) => subject.groups.includes(group)) ?? true) &&
        (users?.includes(subject.user) ?? true) &&
        (backends?.includes(subject.backend) ?? true)
    );
}
