// Control messages, [MS-SSTP] 2.2.2 and 2.2.9 to 2.2.17.  Pure: one whole control packet in, one value out, and back.
//   packet header:32 | message type:16 | number of attributes:16 | attributes
import { readU16, writeU16 } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import {
    ATTRIBUTE_HEADER_SIZE,
    type Attribute,
    type CryptoBinding,
    type CryptoBindingRequest,
    type StatusInfo,
    decodeAttributes,
    decodeCryptoBinding,
    decodeCryptoBindingRequest,
    decodeStatusInfo,
    encodeCryptoBinding,
    encodeCryptoBindingRequest,
    encodeProtocolId,
    encodeStatusInfo,
    statusInfo,
    writeAttribute,
} from "./attributes.ts";
import { checkConnectRequest } from "./connect-request.ts";
import { ATTRIBUTE_ID, MAX_NAK_STATUS_INFOS, MESSAGE_TYPE, STATUS } from "./constants.ts";
import { SstpError } from "./errors.ts";
import { HEADER_SIZE, encodeHeader } from "./packet.ts";

/** A control message.  Octet fields of a decoded message alias the packet. */
export type Message =
    | { readonly kind: "call-connect-request" }
    | { readonly kind: "call-connect-ack"; readonly request: CryptoBindingRequest }
    | { readonly kind: "call-connect-nak"; readonly statusInfos: readonly StatusInfo[] }
    | { readonly kind: "call-connected"; readonly binding: CryptoBinding }
    | { readonly kind: "call-abort"; readonly statusInfo: StatusInfo | undefined }
    | { readonly kind: "call-disconnect"; readonly statusInfo: StatusInfo | undefined }
    | { readonly kind: "call-disconnect-ack" }
    | { readonly kind: "echo-request" }
    | { readonly kind: "echo-response" };

const MESSAGE_HEADER_SIZE = HEADER_SIZE + 4;

const TYPE_OF_KIND = {
    "call-connect-request": MESSAGE_TYPE.callConnectRequest,
    "call-connect-ack": MESSAGE_TYPE.callConnectAck,
    "call-connect-nak": MESSAGE_TYPE.callConnectNak,
    "call-connected": MESSAGE_TYPE.callConnected,
    "call-abort": MESSAGE_TYPE.callAbort,
    "call-disconnect": MESSAGE_TYPE.callDisconnect,
    "call-disconnect-ack": MESSAGE_TYPE.callDisconnectAck,
    "echo-request": MESSAGE_TYPE.echoRequest,
    "echo-response": MESSAGE_TYPE.echoResponse,
} as const satisfies Readonly<Record<Message["kind"], number>>;

/**
 * The message in `packet`, a whole control packet with its header.  Throws an `SstpError` that carries the answer: status 7
 * for lengths that do not add up and for unknown types, otherwise what [MS-SSTP] 3.3.5.2 asks for.
 */
export function decodeMessage(packet: Uint8Array): Message {
    if (packet.length < MESSAGE_HEADER_SIZE) throw invalidFrame(0, `control packet of ${packet.length} octets`);
    const type = readU16(packet, HEADER_SIZE);
    const count = readU16(packet, HEADER_SIZE + 2);
    const attributes = decodeAttributes(packet.subarray(MESSAGE_HEADER_SIZE), count);
    if (attributes === undefined) {
        throw invalidFrame(type, `${count} attributes do not fill message type ${type} of ${packet.length} octets`);
    }
    switch (type) {
        case MESSAGE_TYPE.callConnectRequest:
            return decodeConnectRequest(attributes);
        case MESSAGE_TYPE.callConnectAck:
            return {
                kind: "call-connect-ack",
                request: only(type, attributes, ACK_ATTRIBUTE, decodeCryptoBindingRequest),
            };
        case MESSAGE_TYPE.callConnectNak:
            return { kind: "call-connect-nak", statusInfos: attributes.map((attribute) => nakStatusInfo(attribute)) };
        case MESSAGE_TYPE.callConnected:
            return {
                kind: "call-connected",
                binding: only(type, attributes, CONNECTED_ATTRIBUTE, decodeCryptoBinding),
            };
        case MESSAGE_TYPE.callAbort:
            return { kind: "call-abort", statusInfo: optionalStatusInfo(type, attributes) };
        case MESSAGE_TYPE.callDisconnect:
            return { kind: "call-disconnect", statusInfo: optionalStatusInfo(type, attributes) };
        case MESSAGE_TYPE.callDisconnectAck:
            return bare(type, attributes, { kind: "call-disconnect-ack" });
        case MESSAGE_TYPE.echoRequest:
            return bare(type, attributes, { kind: "echo-request" });
        case MESSAGE_TYPE.echoResponse:
            return bare(type, attributes, { kind: "echo-response" });
        default:
            throw refusal("SSTP_UNKNOWN_MESSAGE", type, `message type ${type}`, INVALID_FRAME);
    }
}

/** The whole control packet of `message`, header included. */
export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
    return encodeControlPacket(TYPE_OF_KIND[message.kind], attributesOf(message));
}

/** A control packet of any type and attributes: also what a well-behaved peer would never send. */
export function encodeControlPacket(type: number, attributes: readonly Attribute[]): Uint8Array<ArrayBuffer> {
    const size = attributes.reduce((sum, { value }) => sum + ATTRIBUTE_HEADER_SIZE + value.length, MESSAGE_HEADER_SIZE);
    const packet = new Uint8Array(size);
    encodeHeader(packet, 0, "control", size - HEADER_SIZE);
    writeU16(packet, HEADER_SIZE, type);
    writeU16(packet, HEADER_SIZE + 2, attributes.length);
    let at = MESSAGE_HEADER_SIZE;
    for (const attribute of attributes) at = writeAttribute(packet, at, attribute);
    return packet;
}

function attributesOf(message: Message): readonly Attribute[] {
    switch (message.kind) {
        case "call-connect-request":
            return [encodeProtocolId()];
        case "call-connect-ack":
            return [encodeCryptoBindingRequest(message.request)];
        case "call-connect-nak":
            if (message.statusInfos.length > MAX_NAK_STATUS_INFOS) {
                throw new InvariantError(`NAK with ${message.statusInfos.length} Status Info attributes`);
            }
            return message.statusInfos.map((info) => encodeStatusInfo(info));
        case "call-connected":
            return [encodeCryptoBinding(message.binding)];
        case "call-abort":
        case "call-disconnect":
            return message.statusInfo === undefined ? [] : [encodeStatusInfo(message.statusInfo)];
        case "call-disconnect-ack":
        case "echo-request":
        case "echo-response":
            break;
    }
    return [];
}

const INVALID_FRAME = statusInfo(ATTRIBUTE_ID.statusInfo, STATUS.invalidFrameReceived);
// [MS-SSTP] 3.3.5.2.3: whatever is wrong with the attributes of a Call Connected, the Abort says this.
const ATTRIBUTE_NOT_SUPPORTED = statusInfo(ATTRIBUTE_ID.statusInfo, STATUS.attributeNotSupportedInMessage);

function refusal(
    code: "SSTP_BAD_MESSAGE" | "SSTP_UNKNOWN_MESSAGE",
    messageType: number,
    detail: string,
    info: StatusInfo,
): SstpError {
    return new SstpError(code, detail, { messageType, statusInfos: [info] });
}

const invalidFrame = (type: number, detail: string): SstpError =>
    refusal("SSTP_BAD_MESSAGE", type, detail, INVALID_FRAME);

const wrongAttributes = (type: number, detail: string): SstpError =>
    refusal("SSTP_BAD_MESSAGE", type, `message type ${type}: ${detail}`, ATTRIBUTE_NOT_SUPPORTED);

function decodeConnectRequest(attributes: readonly Attribute[]): Message {
    const [first, ...others] = checkConnectRequest(attributes);
    if (first === undefined) return { kind: "call-connect-request" };
    throw new SstpError("SSTP_BAD_MESSAGE", `Call Connect Request, status ${first.status}`, {
        messageType: MESSAGE_TYPE.callConnectRequest,
        statusInfos: [first, ...others],
    });
}

const ACK_ATTRIBUTE = { id: ATTRIBUTE_ID.cryptoBindingRequest, name: "Crypto Binding Request" };
const CONNECTED_ATTRIBUTE = { id: ATTRIBUTE_ID.cryptoBinding, name: "Crypto Binding" };

/** The value of the one attribute that a message must consist of. */
function only<T>(
    type: number,
    attributes: readonly Attribute[],
    wanted: { readonly id: number; readonly name: string },
    decode: (value: Uint8Array) => T | undefined,
): T {
    const found = attributes.find(({ id }) => id === wanted.id);
    if (found === undefined) throw wrongAttributes(type, `no ${wanted.name} attribute`);
    if (attributes.length > 1) throw wrongAttributes(type, `attributes beside ${wanted.name}`);
    const value = decode(found.value);
    if (value === undefined) throw wrongAttributes(type, `${wanted.name} of ${found.value.length} octets`);
    return value;
}

/** Windows sends a Status Info in Abort and Disconnect, sstpc and Open SSTP none ([MS-SSTP] appendix A <3>, <4>). */
function optionalStatusInfo(type: number, attributes: readonly Attribute[]): StatusInfo | undefined {
    return attributes.length === 0 ? undefined : only(type, attributes, STATUS_ATTRIBUTE, decodeStatusInfo);
}

const STATUS_ATTRIBUTE = { id: ATTRIBUTE_ID.statusInfo, name: "Status Info" };

function nakStatusInfo(attribute: Attribute): StatusInfo {
    return only(MESSAGE_TYPE.callConnectNak, [attribute], STATUS_ATTRIBUTE, decodeStatusInfo);
}

function bare(type: number, attributes: readonly Attribute[], message: Message): Message {
    if (attributes.length > 0) throw wrongAttributes(type, `${attributes.length} attributes, expected none`);
    return message;
}
