// EAP as Windows' built-in client speaks it by default: Identity, and EAP-MSCHAPv2 (draft-kamath-pppext-eap-mschapv2-02); a Nak
// to every other method.
import { randomBytes } from "node:crypto";
import { encodeUtf8 } from "@postern/bytes";
import {
    decodeEapPacket,
    decodeMschapv2Request,
    EAP_CODE,
    EAP_TYPE,
    EapError,
    encodeEapPacket,
    encodeMschapv2Answer,
    encodeNak,
    type Mschapv2Request,
} from "@postern/eap";
import {
    answerMschapv2,
    type Credentials,
    decodeMschapFailure,
    type EapPeer,
    type Mschapv2Answer,
    PppError,
    provesServer,
} from "@postern/ppp";
import { pppDigests } from "./node-digests.ts";

interface Answer {
    readonly type: number;
    readonly data: Uint8Array;
}

export class EapMschapv2Peer implements EapPeer {
    readonly #credentials: Credentials;
    readonly #identity: Uint8Array;
    #answer: Mschapv2Answer | undefined;
    #isProved = false;
    #refusal: string | undefined;

    /** `identity`: what is claimed outside of the method. */
    constructor(credentials: Credentials, identity: string) {
        this.#credentials = credentials;
        this.#identity = encodeUtf8(identity);
    }

    get hlak(): Uint8Array | undefined {
        return this.#isProved ? this.#answer?.hlak : undefined;
    }

    get refusal(): string | undefined {
        return this.#refusal;
    }

    respond(request: Uint8Array): Uint8Array | undefined {
        try {
            const packet = decodeEapPacket(request);
            if (packet.code !== EAP_CODE.request) return undefined;
            const { identifier } = packet;
            const answer = this.#answerTo(packet.type, packet.data);
            return answer && encodeEapPacket({ code: EAP_CODE.response, identifier, ...answer });
        } catch (error) {
            if (error instanceof EapError || error instanceof PppError) return undefined;
            throw error;
        }
    }

    #answerTo(type: number, data: Uint8Array): Answer | undefined {
        switch (type) {
            case EAP_TYPE.identity:
                return { type, data: this.#identity };
            case EAP_TYPE.notification:
                return { type, data: new Uint8Array(0) };
            case EAP_TYPE.mschapv2: {
                const answer = this.#inside(decodeMschapv2Request(data));
                return answer && { type, data: answer };
            }
            default:
                return { type: EAP_TYPE.nak, data: encodeNak([EAP_TYPE.mschapv2]) };
        }
    }

    #inside(request: Mschapv2Request): Uint8Array | undefined {
        switch (request.op) {
            case "challenge": {
                const { id, value } = request;
                this.#answer = answerMschapv2(pppDigests, (size) => randomBytes(size), this.#credentials, value);
                const name = encodeUtf8(this.#credentials.user);
                return encodeMschapv2Answer({ op: "response", id, value: this.#answer.response, name });
            }
            case "success":
                // RFC 2759 §5: who is not proved is not answered.
                this.#isProved = this.#answer !== undefined && provesServer(this.#answer, request.message);
                return this.#isProved ? encodeMschapv2Answer({ op: "success" }) : undefined;
            case "failure": {
                const { error, message } = decodeMschapFailure(request.message);
                this.#refusal = `error ${error} ${message}`;
                return encodeMschapv2Answer({ op: "failure" });
            }
        }
    }
}
