// What who knows the password answers to a challenge of MS-CHAPv2, by itself or inside of EAP, RFC 2759 §4 and §8.
import { encodeUtf8 } from "@postern/bytes";
import type { Credentials } from "./client-authentication.ts";
import type { Digests } from "./digests.ts";
import {
    authenticatorResponse,
    CHALLENGE_SIZE,
    challengeHash,
    challengeResponse,
    encodeMschapv2Response,
    hlakFromKeys,
    mppeKeys,
    ntPasswordHash,
    withoutDomain,
} from "./mschapv2.ts";

export interface Mschapv2Answer {
    /** 49 bytes: peer challenge, reserved, NT-Response, flags. */
    readonly response: Uint8Array;
    /** What a server that knows the password says: `S=` and 40 digits. */
    readonly proof: string;
    /** The 32 bytes of [MS-SSTP] 3.2.5.2.2: a secret. */
    readonly hlak: Uint8Array;
}

/** `challenge`: 16 bytes of the server. */
export function answerMschapv2(
    digests: Digests,
    random: (size: number) => Uint8Array,
    { user, password }: Credentials,
    challenge: Uint8Array,
): Mschapv2Answer {
    const peerChallenge = random(CHALLENGE_SIZE);
    const hash = ntPasswordHash(password);
    const hashed = challengeHash(digests, peerChallenge, challenge, encodeUtf8(withoutDomain(user)));
    const ntResponse = challengeResponse(digests, hashed, hash);
    const keys = mppeKeys(digests, hash, ntResponse);
    return {
        response: encodeMschapv2Response({ peerChallenge, ntResponse }),
        proof: authenticatorResponse(digests, hash, ntResponse, hashed),
        hlak: hlakFromKeys(keys.serverReceive, keys.serverSend),
    };
}

/** Whether the message of a Success begins with the proof, RFC 2759 §5. */
export const provesServer = ({ proof }: Mschapv2Answer, message: string): boolean =>
    message.slice(0, proof.length).toUpperCase() === proof;
