export type { PolicyRule, PolicySubject, PolicyValues } from "./policy-rule.ts";
export { resolvePolicy, type ResolvedPolicy } from "./resolve-policy.ts";
export { openUntil, WEEKDAYS, type WorkingHours } from "./working-hours.ts";
