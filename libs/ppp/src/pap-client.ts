// PAP, the client's end, RFC 1334 §2.
import { decodeLatin1, encodeUtf8 } from "@postern/bytes";
import { ClientAuthentication, type ClientAuthenticationPorts, type Credentials } from "./client-authentication.ts";
import { PROTOCOL } from "./constants.ts";
import type { ControlPacket } from "./control-packet.ts";
import type { Identifiers } from "./identifiers.ts";
import { HLAK_SIZE } from "./mschapv2.ts";
import { decodePapMessage, encodePapRequest, PAP_CODE } from "./pap.ts";

export class PapClient extends ClientAuthentication {
    readonly protocol = PROTOCOL.pap;
    readonly #identifiers: Identifiers;

    constructor(
        credentials: Credentials,
        timeoutMs: number,
        identifiers: Identifiers,
        ports: ClientAuthenticationPorts,
    ) {
        super(credentials, timeoutMs, ports);
        this.#identifiers = identifiers;
    }

    override start(): void {
        super.start();
        const user = encodeUtf8(this.credentials.user);
        const data = encodePapRequest({ user, password: encodeUtf8(this.credentials.password) });
        this.send(PAP_CODE.authenticateRequest, this.#identifiers.take(), data);
    }

    onPacket({ code, data }: ControlPacket): boolean {
        if (code !== PAP_CODE.authenticateAck && code !== PAP_CODE.authenticateNak) return false;
        const message = decodeLatin1(decodePapMessage(data));
        this.conclude();
        if (code === PAP_CODE.authenticateAck) this.ports.succeeded(new Uint8Array(HLAK_SIZE));
        else this.ports.failed("authentication-failed", `PAP refused: ${message}`);
        return true;
    }
}
