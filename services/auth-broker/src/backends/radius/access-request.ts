// The Access-Request for one attempt, RFC 2865 §4.1: who asks, from where, and what the client sent.
import { concatBytes, encodeUtf8 } from "@postern/bytes";
import { encodeIpv4, parseIpv4 } from "@postern/ip";
import {
    ATTRIBUTE,
    type Attribute,
    eapAttributes,
    hidePassword,
    integerAttribute,
    mschapAttributes,
    textAttribute,
} from "@postern/radius";
import { radiusDigests, type RequestSecrets } from "@postern/radius-client";
import type { AttemptCredentials, AuthAttempt } from "../../auth-backend.ts";

export interface NasSettings {
    /** NAS-Identifier. */
    readonly identifier: string;
    /** NAS-IP-Address, where a server wants one. */
    readonly address: string | undefined;
}

/** RFC 2865 §5.6, §5.7, §5.41. */
const SERVICE_FRAMED = 2;
const PROTOCOL_PPP = 1;
const PORT_VIRTUAL = 5;
/** What a client's link carries of EAP in one packet: the MTU of the tunnel without the header of EAP (RFC 3579 §2.4). */
const EAP_MTU = 1_396;
/** Bytes of a value, RFC 2865 §5. */
const LONGEST_VALUE = 253;
/** Bytes of EAP for which a packet of 4,096 has room beside everything else. */
const LONGEST_EAP = 3_000;
/** RFC 2865 §5.2. */
const LONGEST_PASSWORD = 128;

/** Why RADIUS cannot carry these credentials; `undefined`: it can. */
export function uncarriable(credentials: AttemptCredentials): string | undefined {
    if (encodeUtf8(credentials.identity).length > LONGEST_VALUE) return "a name of more than 253 bytes";
    if (credentials.method === "pap" && credentials.password.length > LONGEST_PASSWORD)
        return "a password of more than 128 bytes, which RADIUS cannot carry";
    if (credentials.method === "eap" && credentials.packet.length > LONGEST_EAP)
        return `an EAP packet of ${credentials.packet.length} bytes`;
    return undefined;
}

/** What every request of this backend says of who asks. */
export const nasAttributes = ({ identifier, address }: NasSettings): readonly Attribute[] => [
    textAttribute(ATTRIBUTE.nasIdentifier, identifier),
    ...(address === undefined ? [] : [{ type: ATTRIBUTE.nasIpAddress, value: encodeIpv4(parseIpv4(address)) }]),
];

/** `state`: of the Access-Challenge that this answers, RFC 2865 §5.24. */
export function accessRequest(
    { credentials, client, serverName, session }: Omit<AuthAttempt, "identify">,
    nas: NasSettings,
    state: readonly Attribute[],
    secrets: RequestSecrets,
): readonly Attribute[] {
    return [
        textAttribute(ATTRIBUTE.userName, credentials.identity),
        ...credentialAttributes(credentials, secrets),
        ...nasAttributes(nas),
        integerAttribute(ATTRIBUTE.nasPortType, PORT_VIRTUAL),
        integerAttribute(ATTRIBUTE.serviceType, SERVICE_FRAMED),
        integerAttribute(ATTRIBUTE.framedProtocol, PROTOCOL_PPP),
        textAttribute(ATTRIBUTE.callingStationId, client.address),
        ...(serverName === undefined ? [] : [textAttribute(ATTRIBUTE.calledStationId, serverName)]),
        textAttribute(ATTRIBUTE.acctSessionId, session),
        ...state,
    ];
}

function credentialAttributes(credentials: AttemptCredentials, secrets: RequestSecrets): readonly Attribute[] {
    switch (credentials.method) {
        case "pap": {
            const { authenticator, secret } = secrets;
            const value = hidePassword(credentials.password, authenticator, secret, radiusDigests);
            return value === undefined ? [] : [{ type: ATTRIBUTE.userPassword, value }];
        }
        case "chap": {
            const { ident, challenge, response } = credentials;
            return [
                { type: ATTRIBUTE.chapPassword, value: concatBytes(Uint8Array.of(ident), response) },
                { type: ATTRIBUTE.chapChallenge, value: challenge },
            ];
        }
        case "mschapv2":
            return mschapAttributes(credentials);
        case "eap":
            return [integerAttribute(ATTRIBUTE.framedMtu, EAP_MTU), ...eapAttributes(credentials.packet)];
    }
}
