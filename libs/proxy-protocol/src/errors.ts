import { PeerError, type ErrorCode } from "@postern/errors";

/** A source that must send a PROXY header sent something else. */
export class ProxyError extends PeerError {
    constructor(detail: string) {
        super("PROXY_HEADER_INVALID" satisfies ErrorCode, detail);
    }
}
