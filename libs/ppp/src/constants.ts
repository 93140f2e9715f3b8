// Numbers of the Point-to-Point Protocol: first the specifications', then our own limits.

/** Protocol numbers, RFC 1661 §2 and the IANA registry "PPP DLL Protocol Numbers". */
export const PROTOCOL = {
    ipv4: 0x0021,
    multilink: 0x003d,
    ipv6: 0x0057,
    ipcp: 0x8021,
    ecp: 0x8053,
    ipv6cp: 0x8057,
    ccp: 0x80fd,
    lcp: 0xc021,
    pap: 0xc023,
    linkQuality: 0xc025,
    cbcp: 0xc029,
    chap: 0xc223,
    eap: 0xc227,
} as const;

/** Those of the authentication phase. */
export const AUTHENTICATION_PROTOCOLS: readonly number[] = [PROTOCOL.pap, PROTOCOL.chap, PROTOCOL.eap];

/** Codes of LCP and, up to `codeReject`, of every network control protocol.  RFC 1661 §5, RFC 1570 §2. */
export const CODE = {
    configureRequest: 1,
    configureAck: 2,
    configureNak: 3,
    configureReject: 4,
    terminateRequest: 5,
    terminateAck: 6,
    codeReject: 7,
    protocolReject: 8,
    echoRequest: 9,
    echoReply: 10,
    discardRequest: 11,
    identification: 12,
    timeRemaining: 13,
} as const;

/** RFC 1661 §6, RFC 1570 §2.3 (callback), RFC 1662 §7.1 (asyncMap), RFC 1990 §5.1 (mrru, endpoint). */
export const LCP_OPTION = {
    mru: 1,
    asyncMap: 2,
    authentication: 3,
    quality: 4,
    magic: 5,
    protocolFieldCompression: 7,
    addressControlFieldCompression: 8,
    callback: 13,
    mrru: 17,
    endpointDiscriminator: 19,
} as const;

/** RFC 1332 §3, RFC 1877 §1. */
export const IPCP_OPTION = {
    addresses: 1,
    compression: 2,
    address: 3,
    primaryDns: 129,
    primaryNbns: 130,
    secondaryDns: 131,
    secondaryNbns: 132,
} as const;

/** RFC 5072 §4.1. */
export const IPV6CP_OPTION = { interfaceId: 1 } as const;

/** The maximum receive unit of a peer that does not say one, RFC 1661 §6.1. */
export const DEFAULT_MRU = 1500;
/** Restart timer and counters, RFC 1661 §4.6. */
export const RESTART_TIMEOUT_MS = 3000;
export const MAX_CONFIGURE = 10;
export const MAX_TERMINATE = 2;
export const MAX_FAILURE = 5;

// Our limits.

/** What we say in our Configure-Request: what RRAS says, and the most that an SSTP packet (4095 bytes) holds. */
export const OUR_MRU = 4091;
/** Configure-Naks and -Rejects, sent and received together, after which a negotiation will not converge any more. */
export const MAX_ROUNDS = 20;
/** An MRU below this is not usable, not even for a DHCP answer; IPv4 wants 68, RFC 791 §3.2. */
export const MIN_MRU = 128;
/** Authentication: one challenge is repeated after this long, this many times in all. */
export const CHALLENGE_TIMEOUT_MS = 5000;
export const MAX_CHALLENGES = 3;
/** A client that keeps offering other credentials after a Failure with R=1 gets this many attempts. */
export const MAX_ATTEMPTS = 3;
/** How long the answer to one authentication attempt may take. */
export const ATTEMPT_TIMEOUT_MS = 120_000;
