// The client and its worker: makes the questions that a worker asks and checks what the answers prove.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { encodeUtf8 } from "@postern/bytes";
import { authStart, type AuthResult, type AuthStartQuestion } from "@postern/contracts";
import {
    authenticatorResponse,
    challengeHash,
    challengeResponse,
    encodeMschapv2Response,
    hlakFromKeys,
    mppeKeys,
    ntPasswordHash,
    withoutDomain,
} from "@postern/ppp";
import { encodeBase64, generateKeyPair, open, seal } from "@postern/sealing";
import { digests } from "../src/digests.ts";

export interface LoginOptions {
    /** What passwords are sealed to. */
    readonly brokerKey: Uint8Array;
    readonly user: string;
    readonly password: string;
    readonly session?: string;
    readonly address?: string;
}

export class LoginClient {
    readonly session: string;
    readonly reply = generateKeyPair();
    readonly #options: LoginOptions;
    #proof: { readonly authenticatorResponse: string; readonly hlak: Uint8Array } | undefined;

    constructor(options: LoginOptions) {
        this.#options = options;
        this.session = options.session ?? randomBytes(12).toString("hex");
    }

    pap(attempt = 1): AuthStartQuestion {
        const { brokerKey, user, password } = this.#options;
        const context = `pap ${this.session} ${attempt}`;
        return this.#question(attempt, {
            method: "pap",
            identity: user,
            password: seal(brokerKey, encodeUtf8(password), context),
        });
    }

    mschapv2(attempt = 1, challenge: Uint8Array = randomBytes(16)): AuthStartQuestion {
        const { user, password } = this.#options;
        const peerChallenge = randomBytes(16);
        const hash = ntPasswordHash(password);
        const hashedChallenge = challengeHash(digests, peerChallenge, challenge, encodeUtf8(withoutDomain(user)));
        const ntResponse = challengeResponse(digests, hashedChallenge, hash);
        const keys = mppeKeys(digests, hash, ntResponse);
        this.#proof = {
            authenticatorResponse: authenticatorResponse(digests, hash, ntResponse, hashedChallenge),
            hlak: hlakFromKeys(keys.serverReceive, keys.serverSend),
        };
        return this.#question(attempt, {
            method: "mschapv2",
            identity: user,
            ident: attempt,
            challenge: encodeBase64(challenge),
            response: encodeBase64(encodeMschapv2Response({ peerChallenge, ntResponse })),
        });
    }

    /** The accept proves that the broker knows the password, and gives the worker the client's own key. */
    checkMschapAccept(result: AuthResult, attempt = 1): void {
        assert.equal(result.state, "accept");
        assert.equal(result.authenticatorResponse, this.#proof?.authenticatorResponse);
        assert.ok(result.hlak);
        const hlak = open(this.reply.privateKey, result.hlak, `hlak ${this.session} ${attempt}`);
        assert.deepEqual(hlak, this.#proof?.hlak);
    }

    #question(attempt: number, credentials: AuthStartQuestion["credentials"]): AuthStartQuestion {
        return authStart.question.parse({
            session: this.session,
            attempt,
            worker: "w1",
            client: { address: this.#options.address ?? "192.0.2.1", port: 40_000 },
            credentials,
            replyKey: encodeBase64(this.reply.publicKey),
        });
    }
}
