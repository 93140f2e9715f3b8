// EAP-MSCHAPv2 served here (draft-kamath-pppext-eap-mschapv2-02), with the credentials of whoever knows the users:
//   Identity -> Challenge -> Response -> Success-Request -> Success-Response -> accept
// One guess in a conversation: who fails is told so with R=0, and dials again.
import {
    decodeEapPacket,
    decodeMschapv2Answer,
    decodeNak,
    EAP_CODE,
    EAP_TYPE,
    EapError,
    encodeEapPacket,
    encodeMschapv2Request,
    type EapExchange,
    type Mschapv2Request,
} from "@postern/eap";
import { CHALLENGE_SIZE, decodeName, encodeMschapFailure } from "@postern/ppp";
import {
    rejection,
    type Acceptance,
    type AuthAttempt,
    type EapQuestion,
    type MschapCredentials,
    type Rejection,
    type Step,
    type Verdict,
} from "../auth-backend.ts";
import { refusalOf } from "../auth-reply.ts";

export interface Mschapv2ServerPorts {
    /** `size` bytes from a cryptographic source. */
    readonly random: (size: number) => Uint8Array;
    /** What challenges name as their sender. */
    readonly serverName: Uint8Array;
    /** Decides about the credentials inside, after the user has been admitted by `AuthAttempt.identify`. */
    readonly verify: (credentials: MschapCredentials, signal: AbortSignal) => Promise<Acceptance | Rejection>;
}

/** What may follow on one Response. */
type Turn = (response: EapExchange, attempt: AuthAttempt, signal: AbortSignal) => Verdict | Promise<Verdict>;

/** The step for the first packet of a conversation, which is the client's Identity; what it claims is not looked at. */
export function serveEapMschapv2(ports: Mschapv2ServerPorts): Step {
    return turn((response) => {
        if (response.type !== EAP_TYPE.identity) return rejection("malformed", "EAP does not begin with an Identity");
        const challenge = ports.random(CHALLENGE_SIZE);
        const id = nextOf(response.identifier);
        const request: Mschapv2Request = { op: "challenge", id, value: challenge, name: ports.serverName };
        return question(response, request, (answer, attempt, signal) =>
            onResponse(ports, challenge, answer, attempt, signal),
        );
    });
}

async function onResponse(
    ports: Mschapv2ServerPorts,
    challenge: Uint8Array,
    response: EapExchange,
    attempt: AuthAttempt,
    signal: AbortSignal,
): Promise<Verdict> {
    if (response.type === EAP_TYPE.nak || response.type === EAP_TYPE.expanded) return otherMethod(response);
    if (response.type !== EAP_TYPE.mschapv2) return rejection("malformed", `EAP type ${response.type} in EAP-MSCHAPv2`);
    const answer = decodeMschapv2Answer(response.data);
    if (answer.op !== "response") return rejection("malformed", `EAP-MSCHAPv2 ${answer.op} before a response`);
    const identity = decodeName(answer.name);
    const credentials: MschapCredentials = {
        method: "mschapv2",
        identity,
        ident: answer.id,
        challenge,
        response: answer.value,
    };
    const decided = attempt.identify(identity) ?? (await ports.verify(credentials, signal));
    if (decided.outcome === "reject") return explained(decided, response, answer.id, ports);
    const { keys } = decided;
    if (keys?.authenticatorResponse === undefined) return rejection("no-session-keys", "no proof for the client");
    const success: Mschapv2Request = { op: "success", id: answer.id, message: keys.authenticatorResponse };
    return question(response, success, (last) => onProved(last, { ...decided, keys: { hlak: keys.hlak } }));
}

/** The client has checked our proof, or does not believe it. */
function onProved(response: EapExchange, acceptance: Acceptance): Verdict {
    const { op } = response.type === EAP_TYPE.mschapv2 ? decodeMschapv2Answer(response.data) : { op: "failure" };
    if (op === "success") return acceptance;
    acceptance.keys?.hlak.fill(0);
    return rejection("malformed", "the client did not confirm the proof that the server knows the password");
}

/** RFC 3748 §5.3.1. */
function otherMethod({ type, data }: EapExchange): Rejection {
    const wanted = type === EAP_TYPE.nak ? decodeNak(data) : [];
    const named = wanted.length === 0 ? "another EAP method" : `EAP type ${wanted.slice(0, 8).join(", ")}`;
    return rejection("method-not-allowed", `the client wants ${named}; here is EAP-MSCHAPv2 only`);
}

/** The client is told why with a Failure-Request, unless nobody decided about its credentials. */
function explained(
    refused: Rejection,
    response: EapExchange,
    id: number,
    { random }: Pick<Mschapv2ServerPorts, "random">,
): Rejection {
    const refusal = refusalOf(refused);
    if (refusal === undefined) return refused;
    const message = encodeMschapFailure({ ...refusal, retry: false }, random(CHALLENGE_SIZE));
    return { ...refused, eapPacket: requestAfter(response, { op: "failure", id, message }) };
}

const question = (after: EapExchange, request: Mschapv2Request, next: Turn): EapQuestion => ({
    outcome: "challenge",
    kind: "eap",
    packet: requestAfter(after, request),
    answer: turn(next),
});

function requestAfter({ identifier }: EapExchange, request: Mschapv2Request): Uint8Array {
    const data = encodeMschapv2Request(request);
    return encodeEapPacket({ code: EAP_CODE.request, identifier: nextOf(identifier), type: EAP_TYPE.mschapv2, data });
}

const nextOf = (identifier: number): number => (identifier + 1) & 0xff;

/** A step for one EAP Response; what cannot be read is refused. */
function turn(next: Turn): Step {
    return async (attempt, signal) => {
        const { credentials } = attempt;
        if (credentials.method !== "eap") return rejection("malformed", "not EAP within an EAP conversation");
        try {
            const packet = decodeEapPacket(credentials.packet);
            if (packet.code !== EAP_CODE.response) return rejection("malformed", `EAP code ${packet.code}`);
            return await next(packet, attempt, signal);
        } catch (error) {
            if (error instanceof EapError) return rejection("malformed", error.message);
            throw error;
        }
    };
}
