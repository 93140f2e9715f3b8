export { AuditLog, type AuditLogOptions, type AuditLogState } from "./audit-log.ts";
export { type Checkpoint, parseCheckpoint, signCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
export { AuditLogError } from "./errors.ts";
export { type NewRecord } from "./record.ts";
export { createSigningKey, readPublicKey, readSigningKey, type SigningKey } from "./signing-key.ts";
export { type ChainReport, type Finding, verifyAuditLog, type VerifyOptions } from "./verify.ts";
