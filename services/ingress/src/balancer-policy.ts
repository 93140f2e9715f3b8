// How a worker is chosen for a connection.  A policy sees candidates that are all able to take it; who is able is not its business.

export interface Candidate {
    readonly worker: string;
    readonly sessions: number;
    readonly capacity: number;
}

export interface BalancerPolicy {
    /** One of `candidates` for a client from `source`; `undefined` only when there are none. */
    choose(candidates: readonly Candidate[], source: string): Candidate | undefined;
}
