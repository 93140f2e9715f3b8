// What a verified user may do: the rules of the configuration around whoever verifies.  Refuses outside of the user's working hours.
import { openUntil, resolvePolicy, type PolicyRule } from "@postern/policy";
import {
    rejection,
    type Acceptance,
    type AuthBackend,
    type Rejection,
    type Step,
    type Verdict,
} from "../auth-backend.ts";
import type { Clock } from "../clock.ts";

export interface PolicyGatePorts {
    readonly clock: Pick<Clock, "now">;
    readonly rules: readonly PolicyRule[];
    /** Who verifies. */
    readonly backend: AuthBackend;
}

export class PolicyGate implements AuthBackend {
    readonly authenticate: Step;
    readonly #ports: PolicyGatePorts;

    constructor(ports: PolicyGatePorts) {
        this.#ports = ports;
        this.authenticate = this.#around(ports.backend.authenticate);
    }

    get name(): string {
        return this.#ports.backend.name;
    }

    readiness(): string | undefined {
        return this.#ports.backend.readiness();
    }

    #around(step: Step): Step {
        return async (attempt, signal): Promise<Verdict> => {
            const verdict = await step(attempt, signal);
            switch (verdict.outcome) {
                case "reject":
                    return verdict;
                case "accept":
                    return this.#apply(verdict);
                case "challenge":
                    return { ...verdict, answer: this.#around(verdict.answer) };
            }
        };
    }

    #apply(acceptance: Acceptance): Acceptance | Rejection {
        const { principal: user, groups, backend = this.name, policy: stated } = acceptance;
        const { policy, hours, origins } = resolvePolicy(this.#ports.rules, { user, groups, backend, stated });
        if (hours === undefined) return { ...acceptance, policy };
        const now = this.#ports.clock.now();
        const end = openUntil(hours, now);
        if (end === "always") return { ...acceptance, policy };
        if (end === "closed") {
            acceptance.keys?.hlak.fill(0);
            return {
                ...restricted(user, origins.get("hours")),
                ...(acceptance.backend === undefined ? {} : { backend }),
            };
        }
        const left = Math.max(1, Math.floor((end - now) / 1_000));
        const sessionTimeout = Math.min(left, policy.sessionTimeout ?? left);
        return { ...acceptance, policy: { ...policy, sessionTimeout } };
    }
}

const restricted = (user: string, rule: string | undefined): Rejection =>
    rejection("restricted-hours", `${user} may not be connected now: policy ${rule ?? "of the backend"}`);
