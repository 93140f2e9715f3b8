// MS-CHAPv2, the client's end, RFC 2759, which also proves the server.
import { decodeLatin1, encodeUtf8, equalBytes } from "@postern/bytes";
import { CHAP_CODE, decodeChapValue, encodeChapValue } from "./chap.ts";
import { ClientAuthentication } from "./client-authentication.ts";
import { PROTOCOL } from "./constants.ts";
import type { ControlPacket } from "./control-packet.ts";
import { PppError } from "./errors.ts";
import { decodeMschapFailure } from "./mschap-failure.ts";
import { answerMschapv2, type Mschapv2Answer, provesServer } from "./mschapv2-answer.ts";
import { CHALLENGE_SIZE } from "./mschapv2.ts";

interface Exchange extends Mschapv2Answer {
    readonly identifier: number;
    readonly challenge: Uint8Array;
}

export class Mschapv2Client extends ClientAuthentication {
    readonly protocol = PROTOCOL.chap;
    #exchange: Exchange | undefined;

    onPacket({ code, identifier, data }: ControlPacket): boolean {
        if (code === CHAP_CODE.challenge) return this.#onChallenge(identifier, decodeChapValue(data).value);
        const exchange = this.#exchange;
        if (exchange?.identifier !== identifier) return false;
        if (code === CHAP_CODE.success) return this.#onSuccess(exchange, decodeLatin1(data));
        if (code !== CHAP_CODE.failure) return false;
        const { error, message } = decodeMschapFailure(decodeLatin1(data));
        this.conclude();
        this.ports.failed("authentication-failed", `error ${error} ${message}`);
        return true;
    }

    #onChallenge(identifier: number, challenge: Uint8Array): boolean {
        if (challenge.length !== CHALLENGE_SIZE) {
            throw new PppError("PPP_BAD_AUTHENTICATION", `MS-CHAPv2 challenge of ${challenge.length} bytes`);
        }
        const last = this.#exchange;
        const repeated = last?.identifier === identifier && equalBytes(last.challenge, challenge);
        const { digests, random } = this.ports;
        const exchange = repeated
            ? last
            : { identifier, challenge, ...answerMschapv2(digests, random, this.credentials, challenge) };
        this.#exchange = exchange;
        const name = encodeUtf8(this.credentials.user);
        this.send(CHAP_CODE.response, identifier, encodeChapValue({ value: exchange.response, name }));
        return true;
    }

    /** RFC 2759 §5: a client must end the session when the server's proof is wrong. */
    #onSuccess(exchange: Exchange, message: string): boolean {
        this.conclude();
        if (provesServer(exchange, message)) {
            this.ports.succeeded(exchange.hlak);
        } else {
            this.ports.failed("server-not-verified", "S= does not fit the password");
        }
        return true;
    }
}
