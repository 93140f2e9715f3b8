// Values of Error-Cause, RFC 5176 §3.5: why a request was refused.

export const ERROR_CAUSE = {
    /** An attribute that we do not know how to match by or to change. */
    unsupportedAttribute: 401,
    /** Nothing says which session is meant, or what is to change. */
    missingAttribute: 402,
    nasIdentificationMismatch: 403,
    /** An attribute more often than it may be there. */
    invalidRequest: 404,
    unsupportedService: 405,
    invalidAttributeValue: 407,
    sessionContextNotFound: 503,
    /** A change that fits several sessions. */
    multipleSessionsUnsupported: 508,
} as const;
type ErrorCause = (typeof ERROR_CAUSE)[keyof typeof ERROR_CAUSE];

/** A request of somebody who may ask, and which is refused. */
export interface Refusal {
    readonly refused: ErrorCause;
    /** One line for the log. */
    readonly detail: string;
}

export const refuse = (cause: keyof typeof ERROR_CAUSE, detail: string): Refusal => ({
    refused: ERROR_CAUSE[cause],
    detail,
});
