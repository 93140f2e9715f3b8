import { DependencyError } from "@postern/errors";

/** The audit directory cannot be used: nothing is acknowledged until it can. */
export class AuditLogError extends DependencyError {
    constructor(detail: string, cause?: unknown) {
        super("AUDIT_LOG_UNUSABLE", detail, { cause });
    }
}
