// Questions to one ingress or one session-worker about its TCP connections.
import { z } from "zod";
import {
    ClientEndpoint,
    ConnectionId,
    InstanceId,
    IpAddress,
    PathFigures,
    Principal,
    SessionId,
    Timestamp,
} from "../primitives.ts";
import { defineRequest } from "./request.ts";

/** A connection through an ingress is known to it and to its worker under the same id, each telling what it knows. */
const DescribedConnection = z.strictObject({
    connection: ConnectionId,
    client: ClientEndpoint,
    since: Timestamp,
    bytesIn: z.int().nonnegative(),
    bytesOut: z.int().nonnegative(),
    /** Bytes for the client that wait in the process; those in its kernel are `path.notSent`. */
    queued: z.int().nonnegative(),
    /** From who owns the client's socket, after the first sample. */
    path: PathFigures.optional(),
    /** From an ingress. */
    worker: InstanceId.optional(),
    /** From a worker: the session on it, and its user once the registry has admitted it. */
    session: SessionId.optional(),
    principal: Principal.optional(),
});
export type DescribedConnection = z.infer<typeof DescribedConnection>;

/** In the order of their ids, a page at a time: an answer must fit into a NATS message. */
export const connectionsDescribe = defineRequest({
    question: z.strictObject({
        /** Only connections of this client. */
        client: IpAddress.optional(),
        /** Go on with the connection after this one. */
        after: ConnectionId.optional(),
    }),
    answer: z.strictObject({
        connections: z.array(DescribedConnection),
        /** There is another page. */
        more: z.boolean(),
    }),
    timeout: 2_000,
});
export type ConnectionsQuestion = z.infer<typeof connectionsDescribe.question>;
export type ConnectionsAnswer = z.infer<typeof connectionsDescribe.answer>;
