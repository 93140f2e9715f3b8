// EAP, the client's end, RFC 3748 §2 and §4: the link's part.  The methods are a peer's, whom the link does not know.
import { equalBytes } from "@postern/bytes";
import { ClientAuthentication, type ClientAuthenticationPorts, type Credentials } from "./client-authentication.ts";
import { PROTOCOL } from "./constants.ts";
import { type ControlPacket, encodeControlPacket } from "./control-packet.ts";

const CODE = { request: 1, response: 2, success: 3, failure: 4 } as const;

/** Who answers the server's Requests. */
export interface EapPeer {
    /**
     * The Response to a Request, both whole packets; `undefined`: the Request is not to be answered.  Methods that need time
     * promise it, and never fail to keep that.
     */
    readonly respond: (request: Uint8Array) => Uint8Array | undefined | Promise<Uint8Array | undefined>;
    /** The 32 bytes of [MS-SSTP] 3.2.5.2.2; `undefined` while the server has not done what the method asks of it. */
    readonly hlak: Uint8Array | undefined;
    /** What the server said of the failure. */
    readonly refusal: string | undefined;
}

export class EapClient extends ClientAuthentication {
    readonly protocol = PROTOCOL.eap;
    readonly #peer: EapPeer;
    /** Without a response: the peer is at work on it. */
    #last: { readonly request: Uint8Array; readonly response?: Uint8Array } | undefined;
    #isStopped = false;

    constructor(credentials: Credentials, timeoutMs: number, peer: EapPeer, ports: ClientAuthenticationPorts) {
        super(credentials, timeoutMs, ports);
        this.#peer = peer;
    }

    onPacket({ code, identifier, data }: ControlPacket): boolean {
        if (code === CODE.request) return this.#onRequest(encodeControlPacket({ code, identifier, data }));
        if (code !== CODE.success && code !== CODE.failure) return false;
        const { hlak, refusal } = this.#peer;
        this.conclude();
        if (code === CODE.failure) this.ports.failed("authentication-failed", `EAP refused: ${refusal ?? "no reason"}`);
        else if (hlak === undefined) this.ports.failed("server-not-verified", "EAP-Success before the method was over");
        else this.ports.succeeded(hlak);
        return true;
    }

    override stop(): void {
        this.#isStopped = true;
        super.stop();
    }

    /** A repeated Request gets the same Response, RFC 3748 §4.1. */
    #onRequest(request: Uint8Array): boolean {
        const last = this.#last;
        if (last !== undefined && equalBytes(last.request, request)) {
            if (last.response !== undefined) this.ports.send(last.response);
            return true;
        }
        const response = this.#peer.respond(request);
        if (!(response instanceof Promise)) return this.#answer(request, response);
        this.#last = { request };
        void response.then(
            (late) => !this.#isStopped && this.#last?.request === request && this.#answer(request, late),
        );
        return true;
    }

    #answer(request: Uint8Array, response: Uint8Array | undefined): boolean {
        this.#last = response && { request, response };
        if (response !== undefined) this.ports.send(response);
        return response !== undefined;
    }
}
