import { PeerError } from "@postern/errors";

/** The peer's bytes are not EAP, or not of the method that they say.  RFC 3748 §4.1 has such packets silently discarded. */
export class EapError extends PeerError {}
