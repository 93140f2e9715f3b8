import { PeerError } from "@postern/errors";

/** Text or bytes from outside do not have the form that RFC 791, 4291 or 4632 gives them. */
export class IpError extends PeerError {}
