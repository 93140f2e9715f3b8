import { PeerError } from "@postern/errors";

/** A sealed message that does not open.  It never says why: the reason would help whoever forges one. */
export class SealError extends PeerError {
    constructor(options?: { readonly cause?: unknown }) {
        super("SEAL_INVALID", undefined, options);
    }
}
