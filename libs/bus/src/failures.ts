// The NATS client's errors in the terms of the error catalogue.
import { JetStreamApiCodes, JetStreamApiError, JetStreamError } from "@nats-io/jetstream";
import { errors, RequestError } from "@nats-io/transport-node";
import { DependencyError, PosternError } from "@postern/errors";
import type { RequestOutcome } from "./bus.ts";

/** Header of an answer that is none: a code of `FAILURE_CODES`; the detail is in `FAILURE_DETAIL_HEADER`. */
export const FAILURE_HEADER = "Postern-Failure";
export const FAILURE_DETAIL_HEADER = "Postern-Failure-Detail";

/** What an answerer may say of a question that it did not answer. */
const FAILURE_CODES = ["BUS_BAD_MESSAGE", "BUS_OVERLOADED", "BUS_REMOTE_FAILED"] as const;
export type FailureCode = (typeof FAILURE_CODES)[number];

export const isFailureCode = (text: string): text is FailureCode =>
    FAILURE_CODES.includes(text as FailureCode); /* the cast only widens what `includes` accepts */

const OUTCOMES: Readonly<Record<string, RequestOutcome>> = {
    BUS_TIMEOUT: "timeout",
    BUS_NO_RESPONDERS: "no-responders",
    BUS_BAD_MESSAGE: "bad-message",
    BUS_OVERLOADED: "overloaded",
    BUS_REMOTE_FAILED: "failed",
};

export function outcomeOf(error: unknown): RequestOutcome {
    return error instanceof DependencyError ? (OUTCOMES[error.code] ?? "unavailable") : "aborted";
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** "No responders": the server knew nobody to give the message to. */
export function isNoResponders(error: unknown): boolean {
    if (error instanceof errors.NoRespondersError) return true;
    if (error instanceof RequestError && error.isNoResponders()) return true;
    return error instanceof Error && error.cause !== undefined && isNoResponders(error.cause);
}

/** What a person does about a store that is not as the contracts want it. */
export const REMEDY = "run `postern bus apply`";

/** The server has no such stream or consumer: nobody made it yet, or the server's store is gone. */
export function isMissing(error: unknown): boolean {
    if (!(error instanceof JetStreamApiError)) return false;
    return error.code === JetStreamApiCodes.StreamNotFound || error.code === JetStreamApiCodes.ConsumerNotFound;
}

/** `what` names the operation and its subject or bucket. */
export function busFailure(error: unknown, what: string): PosternError {
    if (error instanceof PosternError) return error;
    const options = { cause: error };
    if (error instanceof errors.TimeoutError) return new DependencyError("BUS_TIMEOUT", `${what}: no answer`, options);
    if (isNoResponders(error)) {
        return new DependencyError("BUS_NO_RESPONDERS", `${what}: nobody answers`, options);
    }
    if (isMissing(error)) {
        return new DependencyError("BUS_NOT_APPLIED", `${what}: it does not exist; ${REMEDY}`, options);
    }
    if (error instanceof JetStreamApiError || error instanceof JetStreamError) {
        return new DependencyError("BUS_REFUSED", `${what}: ${error.message}`, options);
    }
    return new DependencyError("BUS_UNAVAILABLE", `${what}: ${messageOf(error)}`, options);
}
