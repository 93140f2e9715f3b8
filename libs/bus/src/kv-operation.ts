// What the last message of a key says: a value, a deletion, or an expiry that the server noted.
import type { MsgHdrs } from "@nats-io/transport-node";

export const OPERATION_HEADER = "KV-Operation";
const MARKER_REASON_HEADER = "Nats-Marker-Reason";

export type Operation = "PUT" | "DELETED" | "EXPIRED";

/** A marker's reason is `MaxAge` when a time to live ran out, else `Remove` or `Purge`. */
export function operationOf(headers: MsgHdrs | undefined): Operation {
    if (headers === undefined) return "PUT";
    const reason = headers.get(MARKER_REASON_HEADER);
    if (reason !== "") return reason === "MaxAge" ? "EXPIRED" : "DELETED";
    const operation = headers.get(OPERATION_HEADER);
    return operation === "" || operation === "PUT" ? "PUT" : "DELETED";
}
