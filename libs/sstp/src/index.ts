export type { Attribute, CryptoBinding, CryptoBindingRequest, StatusInfo } from "./attributes.ts";
export { statusInfo } from "./attributes.ts";
export { CALL_END_REASONS, type CallEnd, type CallEndReason } from "./call-end.ts";
export {
    ATTRIBUTE_ID,
    CALL_CONNECTED_SIZE,
    HASH_PROTOCOL,
    HLAK_SIZE,
    type HashProtocol,
    MAX_HTTP_HEAD_SIZE,
    MESSAGE_TYPE,
    NONCE_SIZE,
    type OfferedHashProtocols,
    STATUS,
    TIMER_MS,
    type TimerName,
} from "./constants.ts";
export {
    BINDING_FAILURES,
    type BindingFailure,
    type CertificateHashes,
    type ClientBinding,
    type Digests,
    type ExpectedBinding,
    KEYLESS_HLAK,
    checkBinding,
    compoundMac,
    compoundMacKey,
    encodeCallConnected,
    hlakFromMppeKeys,
    strongestHashProtocol,
    verifyCompoundMac,
} from "./crypto-binding.ts";
export { HttpError, type HttpErrorStatus, type SstpAnswer, SstpError, type SstpErrorCode } from "./errors.ts";
export { type HttpHead, HttpHeadReader } from "./http-head.ts";
export {
    type SstpRequest,
    type SstpRequestOptions,
    encodeProbeRequest,
    encodeSstpRequest,
    interpretRequest,
} from "./http-request.ts";
export {
    type ErrorResponseStatus,
    type ProbeStatus,
    encodeErrorResponse,
    encodeProbeResponse,
    encodeSstpResponse,
    interpretResponse,
} from "./http-response.ts";
export { type Message, decodeMessage, encodeControlPacket, encodeMessage } from "./messages.ts";
export {
    HEADER_SIZE,
    MAX_PACKET_SIZE,
    MAX_PAYLOAD_SIZE,
    type Packet,
    type PacketKind,
    decodePacket,
    encodeDataPacket,
    encodeHeader,
    packetKind,
    packetSize,
} from "./packet.ts";
export { PacketReader, type PacketSink } from "./packet-reader.ts";
export {
    CALL_TABLE,
    type CallAction,
    type CallInput,
    type CallState,
    type CallTransition,
    stepCall,
} from "./server-automaton.ts";
export { ServerCall } from "./server-call.ts";
export type { CallSnapshot, ServerCallOptions, ServerCallPorts, ServerCallTiming } from "./server-call-ports.ts";
