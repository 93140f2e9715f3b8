// An EAP packet in RADIUS, RFC 3579 §3.1: cut into EAP-Message attributes, in order, none shorter than it must be.
import { concatBytes } from "@postern/bytes";
import { valuesOf } from "./attribute-values.ts";
import { ATTRIBUTE, MAX_VALUE_SIZE } from "./constants.ts";
import type { Attribute } from "./packet.ts";

export function eapAttributes(packet: Uint8Array): Attribute[] {
    const attributes: Attribute[] = [];
    for (let at = 0; at < packet.length; at += MAX_VALUE_SIZE) {
        attributes.push({ type: ATTRIBUTE.eapMessage, value: packet.subarray(at, at + MAX_VALUE_SIZE) });
    }
    return attributes;
}

/** The EAP packet in these attributes; `undefined`: there is none. */
export function eapPacket(attributes: readonly Attribute[]): Uint8Array<ArrayBuffer> | undefined {
    const values = valuesOf(attributes, ATTRIBUTE.eapMessage);
    return values.length === 0 ? undefined : concatBytes(...values);
}
