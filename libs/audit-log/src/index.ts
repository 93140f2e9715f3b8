export { AuditLog, type AuditLogOptions, type Pruned, type Surprise } from "./audit-log.ts";
export { type Checkpoint, formatCheckpoint, parseCheckpoint } from "./checkpoint.ts";
export { AuditLogError } from "./errors.ts";
export { type EventLedger, sequencedOf, type SequencedEvent } from "./event-ledger.ts";
export { type Finding, type FindingKind, FINDING_KINDS } from "./finding.ts";
export { type AuditRecord, type NewRecord } from "./record.ts";
export { type AuditLogState } from "./recovery.ts";
export { createSigningKey, readPublicKey, readSigningKey, type SigningKey } from "./signing-key.ts";
export { type ChainReport, verifyAuditLog, type VerifyOptions } from "./verify.ts";
export {
    type EventGap,
    type InstallationOptions,
    type InstallationReport,
    verifyInstallation,
    type WriterLog,
} from "./verify-installation.ts";
