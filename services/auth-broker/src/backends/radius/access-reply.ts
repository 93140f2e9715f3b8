// What follows from the reply of a RADIUS server, RFC 2865 §4.2 to §4.4: pure, from a packet that has been verified.
import { canonicalName, type NameRules } from "@postern/accounts";
import type { AuthFailureReason } from "@postern/contracts";
import { decodeMschapFailure, MSCHAP_ERROR, PppError } from "@postern/ppp";
import {
    ATTRIBUTE,
    type Attribute,
    CODE,
    eapPacket,
    higherLayerKey,
    mschapError,
    mschapSuccess,
    oneValue,
    RadiusError,
    readInteger,
    readText,
    valuesOf,
} from "@postern/radius";
import { radiusDigests, type RadiusReply } from "@postern/radius-client";
import {
    rejection,
    type Acceptance,
    type AttemptCredentials,
    type Rejection,
    type SessionKeys,
} from "../../auth-backend.ts";
import { replyGroups, replyPolicy, type GroupAttribute } from "./reply-policy.ts";

export interface ReplyRules {
    readonly names: NameRules;
    readonly groupAttribute: GroupAttribute;
}

/** An EAP Request for the client, and what its answer must carry. */
export interface ReplyQuestion {
    readonly outcome: "challenge";
    readonly packet: Uint8Array;
    readonly state: readonly Attribute[];
    /** Seconds, RFC 3579 §2.3. */
    readonly timeout: number | undefined;
}

/** Bytes of a Reply-Message that go into a record. */
const LONGEST_MESSAGE = 200;
/** Seconds, as much as the contract takes. */
const LONGEST_TIMEOUT = 600;

const REASONS: Readonly<Record<number, AuthFailureReason>> = {
    [MSCHAP_ERROR.restrictedLogonHours]: "restricted-hours",
    [MSCHAP_ERROR.accountDisabled]: "account-disabled",
    [MSCHAP_ERROR.passwordExpired]: "password-expired",
    [MSCHAP_ERROR.noDialinPermission]: "account-disabled",
    [MSCHAP_ERROR.changingPassword]: "password-expired",
};

/** What cannot be read is refused, whatever the code says. */
export function readReply(
    credentials: AttemptCredentials,
    reply: RadiusReply,
    rules: ReplyRules,
): Acceptance | Rejection | ReplyQuestion {
    try {
        const { code, attributes } = reply.packet;
        if (code === CODE.accessAccept) return onAccept(credentials, reply, rules);
        if (code === CODE.accessReject) return onReject(credentials, attributes);
        return onChallenge(credentials, attributes);
    } catch (error) {
        if (!(error instanceof RadiusError)) throw error;
        return rejection("backend-unavailable", `${reply.server} sent what cannot be read: ${error.message}`);
    }
}

function onAccept(credentials: AttemptCredentials, reply: RadiusReply, rules: ReplyRules): Acceptance | Rejection {
    const { attributes } = reply.packet;
    const named = oneValue(attributes, ATTRIBUTE.userName);
    // An outer identity of EAP is nobody's word for anything.
    const name =
        named === undefined ? (credentials.method === "eap" ? undefined : credentials.identity) : readText(named);
    if (name === undefined)
        return rejection(
            "backend-unavailable",
            `${reply.server} accepted EAP without a User-Name: nobody knows who it is`,
        );
    const principal = canonicalName(name, rules.names);
    if (principal === undefined)
        return rejection("unknown-user", `${reply.server} accepted a name that nobody can have`);
    const keys = keysOf(credentials, reply);
    if (typeof keys === "string") return rejection("no-session-keys", `${reply.server} ${keys}`);
    return {
        outcome: "accept",
        principal,
        groups: replyGroups(attributes, rules.groupAttribute),
        policy: replyPolicy(attributes),
        ...(keys === undefined ? {} : { keys }),
    };
}

/** Nothing for methods that have none; what is missing, for those that have. */
function keysOf({ method }: AttemptCredentials, reply: RadiusReply): SessionKeys | string | undefined {
    if (method === "pap" || method === "chap") return undefined;
    const { packet, authenticator, secret } = reply;
    const hlak = higherLayerKey(packet, authenticator, secret, radiusDigests);
    if (hlak === undefined) return "returned no MPPE keys (MS-MPPE-Send-Key, MS-MPPE-Recv-Key): SSTP cannot bind";
    if (method === "eap") return { hlak };
    const authenticatorResponse = mschapSuccess(packet.attributes);
    return authenticatorResponse === undefined
        ? "accepted without MS-CHAP2-Success: the client could not verify the server"
        : { hlak, authenticatorResponse };
}

function onReject({ method }: AttemptCredentials, attributes: readonly Attribute[]): Rejection {
    const detail = messageOf(attributes) ?? "refused";
    const text = method === "mschapv2" ? mschapError(attributes) : undefined;
    if (text === undefined) return rejection("bad-credentials", detail);
    try {
        const { error, message } = decodeMschapFailure(text);
        const refused = rejection(REASONS[error] ?? "bad-credentials", `E=${error}: ${detail}`);
        return { ...refused, mschap: { error, message: message.slice(0, LONGEST_MESSAGE) } };
    } catch (error) {
        if (error instanceof PppError) return rejection("bad-credentials", detail);
        throw error;
    }
}

function onChallenge({ method }: AttemptCredentials, attributes: readonly Attribute[]): Rejection | ReplyQuestion {
    const packet = eapPacket(attributes);
    if (method !== "eap" || packet === undefined) {
        const asked = messageOf(attributes) ?? "no message";
        return rejection("method-not-allowed", `the server asks for more (${asked}), which ${method} cannot answer`);
    }
    const timeout = oneValue(attributes, ATTRIBUTE.sessionTimeout);
    const seconds = timeout === undefined ? 0 : Math.min(readInteger(timeout), LONGEST_TIMEOUT);
    const state = attributes.filter(({ type }) => type === ATTRIBUTE.state);
    return { outcome: "challenge", packet, state, timeout: seconds > 0 ? seconds : undefined };
}

/** In one line, for the record. */
function messageOf(attributes: readonly Attribute[]): string | undefined {
    const text = valuesOf(attributes, ATTRIBUTE.replyMessage)
        .map((value) => Buffer.from(value).toString("utf8"))
        .join(" ")
        .replace(/[\p{Cc}\s]+/gu, " ")
        .trim()
        .slice(0, LONGEST_MESSAGE);
    return text === "" ? undefined : text;
}
