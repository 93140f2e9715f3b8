export {
    bytesAttribute,
    integerAttribute,
    oneValue,
    readInteger,
    readIpv6Prefix,
    readText,
    textAttribute,
    valuesOf,
    type Ipv6Prefix,
} from "./attribute-values.ts";
export {
    encodeRandomRequest,
    encodeReply,
    encodeSignedRequest,
    openReply,
    openSignedRequest,
    type MessageAuthenticatorRule,
    type RandomRequest,
} from "./authenticators.ts";
export { ATTRIBUTE, CODE, MICROSOFT, MIKROTIK, VENDOR, WISPR } from "./constants.ts";
export type { RadiusDigests } from "./digests.ts";
export { eapAttributes, eapPacket } from "./eap-message.ts";
export { RadiusError } from "./errors.ts";
export { hidePassword, revealKey } from "./hidden-values.ts";
export { higherLayerKey, mschapAttributes, mschapError, mschapSuccess } from "./mschap.ts";
export { decodePacket, encodePacket, packetSize, type Attribute, type Packet } from "./packet.ts";
export { PacketStream } from "./packet-stream.ts";
export { vendorAttribute, vendorValues } from "./vendor-specific.ts";
