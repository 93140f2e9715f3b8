import { PeerError } from "@postern/errors";

/** The peer's bytes are not PPP.  RFC 1661 §5 has such packets silently discarded: the links count and drop them. */
export class PppError extends PeerError {}
