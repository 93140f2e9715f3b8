// CHAP with MD5, the client's end, RFC 1994 §4.
import { decodeLatin1, encodeUtf8 } from "@postern/bytes";
import { CHAP_CODE, decodeChapValue, encodeChapValue } from "./chap.ts";
import { chapResponse } from "./chap-md5.ts";
import { ClientAuthentication } from "./client-authentication.ts";
import { PROTOCOL } from "./constants.ts";
import type { ControlPacket } from "./control-packet.ts";
import { HLAK_SIZE } from "./mschapv2.ts";

export class ChapClient extends ClientAuthentication {
    readonly protocol = PROTOCOL.chap;
    /** Of the last Challenge. */
    #identifier: number | undefined;

    onPacket({ code, identifier, data }: ControlPacket): boolean {
        if (code === CHAP_CODE.challenge) return this.#onChallenge(identifier, decodeChapValue(data).value);
        if (identifier !== this.#identifier) return false;
        if (code !== CHAP_CODE.success && code !== CHAP_CODE.failure) return false;
        this.conclude();
        if (code === CHAP_CODE.success) this.ports.succeeded(new Uint8Array(HLAK_SIZE));
        else this.ports.failed("authentication-failed", `CHAP refused: ${decodeLatin1(data)}`);
        return true;
    }

    #onChallenge(identifier: number, challenge: Uint8Array): boolean {
        const { user, password } = this.credentials;
        this.#identifier = identifier;
        const value = chapResponse(this.ports.digests, encodeUtf8(password), { identifier, challenge });
        this.send(CHAP_CODE.response, identifier, encodeChapValue({ value, name: encodeUtf8(user) }));
        return true;
    }
}
