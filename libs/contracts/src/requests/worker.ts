// Questions to one session-worker.
import { z } from "zod";
import { Counters, Epoch, InstanceId, SessionId } from "../primitives.ts";
import { SessionRecord, WorkerState } from "../state/records.ts";
import { defineRequest } from "./request.ts";

/** What the records said of a session when it was admitted, as its worker remembers it: enough to make them again. */
export const AdmittedSession = SessionRecord.pick({
    principal: true,
    groups: true,
    method: true,
    client: true,
    address: true,
    ipv6Prefix: true,
    policy: true,
    admittedAt: true,
    snapshot: true,
});
export type AdmittedSession = z.infer<typeof AdmittedSession>;

/**
 * Which sessions the worker really has: what decides between a suspect and a lost worker.  All of them in the order of their
 * ids, a page at a time (an answer must fit into a NATS message), or only `session` if the worker has it.
 */
export const workerDescribe = defineRequest({
    question: z.strictObject({
        session: SessionId.optional(),
        /** Go on with the session after this one. */
        after: SessionId.optional(),
    }),
    answer: z.strictObject({
        worker: InstanceId,
        epoch: Epoch,
        state: WorkerState,
        sessions: z.array(
            z.strictObject({
                session: SessionId,
                epoch: Epoch,
                counters: Counters,
                /** Only of a session that was asked for by its id. */
                admitted: AdmittedSession.optional(),
            }),
        ),
        /** There is another page. */
        more: z.boolean().optional(),
    }),
    timeout: 1_000,
});
export type DescribeQuestion = z.infer<typeof workerDescribe.question>;
export type DescribeAnswer = z.infer<typeof workerDescribe.answer>;

/** Ends a session cleanly: LCP Terminate-Request, CALL_DISCONNECT, close.  Answers once it is known, not when it is over. */
export const workerDisconnect = defineRequest({
    question: z.strictObject({
        session: SessionId,
        /** Only this epoch of the session; `fenced` tells the worker that it lost the session to a higher one. */
        epoch: Epoch.optional(),
        reason: z.enum(["admin-disconnect", "radius-disconnect", "replaced", "session-timeout", "fenced"]),
        by: z.string(),
    }),
    answer: z.strictObject({ found: z.boolean() }),
    timeout: 2_000,
});
export type DisconnectQuestion = z.infer<typeof workerDisconnect.question>;

/** No new sessions; with `seconds`, the old ones are ended spread over that time, else they stay. */
export const workerDrain = defineRequest({
    question: z.strictObject({ seconds: z.int().min(0).max(86_400).optional(), by: z.string() }),
    answer: z.strictObject({ state: WorkerState, sessions: z.int().nonnegative() }),
    timeout: 2_000,
});
export type DrainQuestion = z.infer<typeof workerDrain.question>;
