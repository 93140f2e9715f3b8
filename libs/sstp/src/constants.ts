// Numbers of the Secure Socket Tunneling Protocol.

// Specification constants, [MS-SSTP].

/** Message Type, [MS-SSTP] 2.2.2. */
export const MESSAGE_TYPE = {
    callConnectRequest: 1,
    callConnectAck: 2,
    callConnectNak: 3,
    callConnected: 4,
    callAbort: 5,
    callDisconnect: 6,
    callDisconnectAck: 7,
    echoRequest: 8,
    echoResponse: 9,
} as const;

/** Attribute ID, [MS-SSTP] 2.2.4. */
export const ATTRIBUTE_ID = {
    noError: 0,
    encapsulatedProtocolId: 1,
    statusInfo: 2,
    cryptoBinding: 3,
    cryptoBindingRequest: 4,
} as const;

/** Status of a Status Info attribute, [MS-SSTP] 2.2.8. */
export const STATUS = {
    noError: 0x0,
    duplicateAttribute: 0x1,
    unrecognizedAttribute: 0x2,
    invalidAttributeValueLength: 0x3,
    valueNotSupported: 0x4,
    unacceptedFrameReceived: 0x5,
    retryCountExceeded: 0x6,
    invalidFrameReceived: 0x7,
    negotiationTimeout: 0x8,
    attributeNotSupportedInMessage: 0x9,
    requiredAttributeMissing: 0xa,
    statusInfoNotSupportedInMessage: 0xb,
} as const;

/** Protocol ID of the Encapsulated Protocol ID attribute, [MS-SSTP] 2.2.5: PPP is the only one there is. */
export const PROTOCOL_PPP = 1;

/** Hash Protocol Bitmask, [MS-SSTP] 2.2.6. */
export const HASH_PROTOCOL = { sha1: 0x01, sha256: 0x02 } as const;

/** One bit of the Hash Protocol Bitmask. */
export type HashProtocol = (typeof HASH_PROTOCOL)[keyof typeof HASH_PROTOCOL];

/** What a server may offer: SHA-256 alone, or with SHA-1, which RouterOS needs. */
export type OfferedHashProtocols = 0x02 | 0x03;

/** Octets of the nonce of the crypto binding, [MS-SSTP] 2.2.6. */
export const NONCE_SIZE = 32;
/** Octets of the Cert Hash and Compound MAC fields; SHA-1 values are padded with zeros, [MS-SSTP] 2.2.7. */
export const HASH_FIELD_SIZE = 32;
/** Octets of a higher-layer authentication key, [MS-SSTP] 3.2.5.2.2. */
export const HLAK_SIZE = 32;
/** Octets of a Call Connected message, [MS-SSTP] 2.2.11. */
export const CALL_CONNECTED_SIZE = 112;
/** Largest AttribValue of a Status Info attribute, in octets, [MS-SSTP] 2.2.8. */
export const MAX_ATTRIB_VALUE_SIZE = 64;
/** Call Connect Requests answered with a NAK before the call is aborted, [MS-SSTP] appendix A <16>. */
export const MAX_CONNECT_RETRIES = 3;

/** Timer values in milliseconds, [MS-SSTP] 3.1.2 and 3.3.2. */
export const TIMER_MS = {
    negotiation: 60_000,
    hello: 60_000,
    "abort-1": 3_000,
    "abort-2": 1_000,
    "disconnect-1": 5_000,
    "disconnect-2": 1_000,
} as const;

/** The timers of a call.  At most one of each runs. */
export type TimerName = keyof typeof TIMER_MS;

// Implementation limits.

/** Octets of an HTTP head, start line and final blank line included; a larger one is refused. */
export const MAX_HTTP_HEAD_SIZE = 8192;
/** Status Info attributes in one Call Connect NAK: what a request can be wrong about fits many times over. */
export const MAX_NAK_STATUS_INFOS = 16;
