import { PeerError } from "@postern/errors";

/** What came is not RADIUS, or not from who knows the secret.  RFC 2865 §3 has such packets silently discarded: clients count them. */
export class RadiusError extends PeerError {}
