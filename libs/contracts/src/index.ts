export { asyncApiDocument } from "./asyncapi.ts";
export { authBackendSkipped, authFailed, authInterrupted, authLocked, authSucceeded } from "./events/auth-events.ts";
export { EVENTS, eventByType } from "./events/catalogue.ts";
export { CloudEvent, EVENT_KINDS, eventType, type EventContract, type EventKind } from "./events/event.ts";
export { FIELD_MEANINGS } from "./events/field-meanings.ts";
export {
    adminAction,
    certificateLoaded,
    connectionClosed,
    ingressRejected,
    workerDraining,
    workerFull,
    workerJoined,
    workerLost,
    workerSuspect,
} from "./events/fleet-events.ts";
export {
    bindingFailed,
    connectionOpened,
    handshakeFailed,
    sessionEnded,
    sessionLateCounters,
    sessionRefused,
    sessionStarted,
    sessionUpdated,
} from "./events/session-events.ts";
export { GRANTS, SERVICES, type Grant, type Role, type ServiceName } from "./permissions.ts";
export { AuthMethod, ClientEndpoint, Counters, InstanceId, PathFigures, Sealed, SessionId } from "./primitives.ts";
export {
    AuthFailureReason,
    BindingFailureReason,
    ConnectionEndReason,
    EndReason,
    REASON_MEANINGS,
    RefusalReason,
    RejectReason,
} from "./reasons.ts";
export {
    authContinue,
    authStart,
    AuthAnswer,
    AuthResult,
    Credentials,
    MschapError,
    Policy,
    StatedPolicy,
    type AuthContinueQuestion,
    type AuthStartQuestion,
} from "./requests/auth.ts";
export {
    connectionsDescribe,
    type ConnectionsAnswer,
    type ConnectionsQuestion,
    type DescribedConnection,
} from "./requests/connections.ts";
export {
    registryAdmit,
    registryBan,
    registryQuery,
    registryRelease,
    registryResume,
    registrySnapshot,
    SessionAddresses,
    type AdmitAnswer,
    type AdmitQuestion,
    type BanQuestion,
    type QueryAnswer,
    type QueryQuestion,
    type ReleaseAnswer,
    type ReleaseQuestion,
    type ResumeQuestion,
    type SnapshotQuestion,
} from "./requests/registry.ts";
export { type RequestContract } from "./requests/request.ts";
export {
    workerDescribe,
    workerDisconnect,
    workerDrain,
    type AdmittedSession,
    type DescribeAnswer,
    type DescribeQuestion,
    type DisconnectQuestion,
    type DrainQuestion,
} from "./requests/worker.ts";
export { BUCKETS, CONSUMERS, STREAMS, type BucketContract, type BucketName } from "./state/buckets.ts";
export { addressKey, decodeKey, encodeKey } from "./state/keys.ts";
export {
    AccountRecord,
    AttemptRecord,
    AuthStateRecord,
    BanRecord,
    FleetRecord,
    LeaseRecord,
    DynamicRequestRecord,
    LockRecord,
    SessionEntry,
    SessionRecord,
    SessionSnapshot,
    UserRecord,
    VoidSession,
    WorkerRecord,
    WorkerState,
} from "./state/records.ts";
export { partitionOf, QUEUE_GROUPS, subjectsOf, type Subjects } from "./subjects.ts";
