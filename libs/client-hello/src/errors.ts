import { PeerError } from "@postern/errors";

/** What a client sent first is not a TLS ClientHello. */
export class ClientHelloError extends PeerError {
    constructor(detail: string) {
        super("CLIENT_HELLO_INVALID", detail);
    }
}
