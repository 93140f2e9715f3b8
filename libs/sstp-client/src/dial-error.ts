import { DependencyError } from "@postern/errors";
import type { ClientEnd } from "./client-end.ts";
import type { DialStep } from "./dial-timings.ts";

/** The connection could not be opened. */
export class DialError extends DependencyError {
    /** The step that was under way. */
    readonly step: DialStep;
    readonly end: ClientEnd;

    constructor(step: DialStep, end: ClientEnd, options?: { readonly cause?: unknown }) {
        super("DIAL_FAILED", `step ${step}: ${end.reason}: ${end.detail}`, options);
        this.step = step;
        this.end = end;
    }
}
