import { DependencyError } from "@postern/errors";

type AuditLogCode = "AUDIT_LOG_UNUSABLE" | "AUDIT_LOG_LOCKED" | "AUDIT_LOG_DAMAGED";

/** The audit directory cannot be used: nothing is acknowledged until it can. */
export class AuditLogError extends DependencyError {
    constructor(code: AuditLogCode, detail: string, cause?: unknown) {
        super(code, detail, cause === undefined ? {} : { cause });
    }
}

/** Performs `work` on `directory`; what the file system refuses becomes `AUDIT_LOG_UNUSABLE`. */
export async function onDisk<T>(directory: string, work: () => Promise<T>): Promise<T> {
    try {
        return await work();
    } catch (error) {
        if (!isFileSystemError(error)) throw error;
        throw new AuditLogError("AUDIT_LOG_UNUSABLE", `${directory}: ${error.message}`, error);
    }
}

const isFileSystemError = (error: unknown): error is NodeJS.ErrnoException =>
    error instanceof Error && "code" in error && "syscall" in error;
