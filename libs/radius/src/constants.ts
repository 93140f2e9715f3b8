// Numbers of RFC 2865, 2866, 2548, 3162, 3579, 4818, 5176, 5997 and 6911, of the vendors that SSTP servers hear from, and our own limits.

/** Packet codes, RFC 2865 §3, RFC 2866 §3, RFC 5176 §2.3, RFC 5997 §3. */
export const CODE = {
    accessRequest: 1,
    accessAccept: 2,
    accessReject: 3,
    accountingRequest: 4,
    accountingResponse: 5,
    accessChallenge: 11,
    statusServer: 12,
    disconnectRequest: 40,
    disconnectAck: 41,
    disconnectNak: 42,
    coaRequest: 43,
    coaAck: 44,
    coaNak: 45,
} as const;

/** Attribute types. */
export const ATTRIBUTE = {
    userName: 1,
    userPassword: 2,
    chapPassword: 3,
    nasIpAddress: 4,
    nasPort: 5,
    serviceType: 6,
    framedProtocol: 7,
    framedIpAddress: 8,
    framedIpNetmask: 9,
    filterId: 11,
    framedMtu: 12,
    replyMessage: 18,
    framedRoute: 22,
    state: 24,
    class: 25,
    vendorSpecific: 26,
    sessionTimeout: 27,
    idleTimeout: 28,
    calledStationId: 30,
    callingStationId: 31,
    nasIdentifier: 32,
    proxyState: 33,
    acctStatusType: 40,
    acctDelayTime: 41,
    acctInputOctets: 42,
    acctOutputOctets: 43,
    acctSessionId: 44,
    acctAuthentic: 45,
    acctSessionTime: 46,
    acctInputPackets: 47,
    acctOutputPackets: 48,
    acctTerminateCause: 49,
    acctInputGigawords: 52,
    acctOutputGigawords: 53,
    eventTimestamp: 55,
    chapChallenge: 60,
    nasPortType: 61,
    portLimit: 62,
    tunnelType: 64,
    tunnelMediumType: 65,
    tunnelClientEndpoint: 66,
    connectInfo: 77,
    eapMessage: 79,
    messageAuthenticator: 80,
    acctInterimInterval: 85,
    nasPortId: 87,
    framedPool: 88,
    nasIpv6Address: 95,
    framedInterfaceId: 96,
    framedIpv6Prefix: 97,
    framedIpv6Route: 99,
    framedIpv6Pool: 100,
    errorCause: 101,
    delegatedIpv6Prefix: 123,
    framedIpv6Address: 168,
    dnsServerIpv6Address: 169,
} as const;

/** Private enterprise numbers. */
export const VENDOR = { microsoft: 311, wispr: 14122, mikrotik: 14988 } as const;

/** Of Microsoft, RFC 2548. */
export const MICROSOFT = {
    chapError: 2,
    chap2Cpw: 27,
    mppeEncryptionPolicy: 7,
    mppeEncryptionTypes: 8,
    chapChallenge: 11,
    mppeSendKey: 16,
    mppeRecvKey: 17,
    chap2Response: 25,
    chap2Success: 26,
    primaryDnsServer: 28,
    secondaryDnsServer: 29,
    primaryNbnsServer: 30,
    secondaryNbnsServer: 31,
} as const;

export const MIKROTIK = { rateLimit: 8 } as const;
/** Of the Wi-Fi Alliance's WISPr 1.0, in bits a second. */
export const WISPR = { bandwidthMaxUp: 7, bandwidthMaxDown: 8 } as const;

export const HEADER_SIZE = 20;
export const AUTHENTICATOR_AT = 4;
export const AUTHENTICATOR_SIZE = 16;
/** RFC 2865 §3. */
export const MAX_PACKET_SIZE = 4_096;
/** Type and length of an attribute. */
export const ATTRIBUTE_HEADER_SIZE = 2;
export const MAX_VALUE_SIZE = 253;
/** RFC 2865 §5.2. */
export const MAX_PASSWORD_SIZE = 128;
