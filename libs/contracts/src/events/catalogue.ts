// Every event that postern publishes.
import { authBackendSkipped, authFailed, authInterrupted, authLocked, authSucceeded } from "./auth-events.ts";
import { eventType, type EventContract } from "./event.ts";
import {
    adminAction,
    certificateLoaded,
    connectionClosed,
    ingressRejected,
    workerDraining,
    workerFull,
    workerJoined,
    workerLost,
    workerSuspect,
} from "./fleet-events.ts";
import {
    bindingFailed,
    connectionOpened,
    handshakeFailed,
    sessionEnded,
    sessionLateCounters,
    sessionRefused,
    sessionStarted,
    sessionUpdated,
} from "./session-events.ts";

export const EVENTS: readonly EventContract[] = [
    sessionStarted,
    sessionUpdated,
    sessionEnded,
    sessionLateCounters,
    sessionRefused,
    bindingFailed,
    authSucceeded,
    authFailed,
    authLocked,
    authBackendSkipped,
    authInterrupted,
    workerJoined,
    workerSuspect,
    workerDraining,
    workerFull,
    workerLost,
    ingressRejected,
    connectionOpened,
    connectionClosed,
    handshakeFailed,
    certificateLoaded,
    adminAction,
];

const BY_TYPE: ReadonlyMap<string, EventContract> = new Map(EVENTS.map((event) => [eventType(event), event]));

/** The contract of a CloudEvents `type`; `undefined` for a type of a newer version. */
export const eventByType = (type: string): EventContract | undefined => BY_TYPE.get(type);
