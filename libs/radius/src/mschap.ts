// MS-CHAPv2 in RADIUS, RFC 2548 §2.3 and §2.4.
//   MS-CHAP2-Response: ident:8 | flags:8 | peer challenge:128 | reserved:64 | response:192
//   MS-CHAP2-Success: ident:8 | "S=" and 40 hexadecimal digits     MS-CHAP-Error: ident:8 | "E=... R=..."
import { InvariantError } from "@postern/errors";
import { concatBytes, decodeLatin1 } from "@postern/bytes";
import { MICROSOFT, VENDOR } from "./constants.ts";
import type { RadiusDigests } from "./digests.ts";
import { RadiusError } from "./errors.ts";
import { revealKey } from "./hidden-values.ts";
import type { Attribute, Packet } from "./packet.ts";
import { vendorAttribute, vendorValues } from "./vendor-specific.ts";

/** Of RFC 2759 §4: peer challenge, reserved, response, flags. */
const CHAP_RESPONSE_SIZE = 49;
/** Of [MS-SSTP] 3.2.5.2. */
const HLAK_SIZE = 32;
const SUCCESS = /^S=[0-9A-F]{40}/i;

/** What asks whether the response that a client gave to `challenge` is its user's. */
export function mschapAttributes({
    ident,
    challenge,
    response,
}: {
    readonly ident: number;
    readonly challenge: Uint8Array;
    readonly response: Uint8Array;
}): Attribute[] {
    if (response.length !== CHAP_RESPONSE_SIZE) throw new InvariantError(`a response of ${response.length} bytes`);
    const flags = response.subarray(CHAP_RESPONSE_SIZE - 1);
    const value = concatBytes(Uint8Array.of(ident), flags, response.subarray(0, CHAP_RESPONSE_SIZE - 1));
    return [
        vendorAttribute(VENDOR.microsoft, MICROSOFT.chapChallenge, challenge),
        vendorAttribute(VENDOR.microsoft, MICROSOFT.chap2Response, value),
    ];
}

/** `S=` and 40 hexadecimal digits, for the client; `undefined`: there is none.  Throws a RadiusError for another form. */
export function mschapSuccess(attributes: readonly Attribute[]): string | undefined {
    const [value] = vendorValues(attributes, VENDOR.microsoft, MICROSOFT.chap2Success);
    if (value === undefined) return undefined;
    const text = SUCCESS.exec(decodeLatin1(value.subarray(1)))?.[0];
    if (text === undefined) throw new RadiusError("RADIUS_BAD_ATTRIBUTE", "MS-CHAP2-Success without S= and 40 digits");
    return text;
}

/** The text for the client, beginning with `E=`; `undefined`: there is none. */
export function mschapError(attributes: readonly Attribute[]): string | undefined {
    const [value] = vendorValues(attributes, VENDOR.microsoft, MICROSOFT.chapError);
    if (value === undefined) return undefined;
    // The identifier in front is missing in what some servers send.
    const text = decodeLatin1(value);
    return text.startsWith("E=") ? text : text.slice(1);
}

/**
 * The HLAK of SSTP's crypto binding ([MS-SSTP] 3.2.5.2): 32 bytes, of the receive key and then the send key, filled with zeros.
 * `undefined`: the reply has no keys.  `authenticator`: of the request that it answers.  Throws a RadiusError where a key
 * does not open.
 */
export function higherLayerKey(
    { attributes }: Pick<Packet, "attributes">,
    authenticator: Uint8Array,
    secret: Uint8Array,
    digests: RadiusDigests,
): Uint8Array<ArrayBuffer> | undefined {
    const [receive] = vendorValues(attributes, VENDOR.microsoft, MICROSOFT.mppeRecvKey);
    const [send] = vendorValues(attributes, VENDOR.microsoft, MICROSOFT.mppeSendKey);
    if (receive === undefined || send === undefined) return undefined;
    const open = (value: Uint8Array): Uint8Array => revealKey(value, authenticator, secret, digests);
    const keys = concatBytes(open(receive), open(send), new Uint8Array(HLAK_SIZE));
    return keys.slice(0, HLAK_SIZE);
}
