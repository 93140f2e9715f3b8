export type {
    AuthenticationAttempt,
    AuthenticationMethod,
    AuthenticationResult,
    ChapAttempt,
    EapAttempt,
    PapAttempt,
} from "./authentication-attempt.ts";
export { type Action, type Input, type State, TABLE as AUTOMATON_TABLE } from "./automaton.ts";
export { type ClientLinkOptions, PppClientLink } from "./client-link.ts";
export { decodeName } from "./authenticator.ts";
export { chapResponse, verifyChap } from "./chap-md5.ts";
export type { Credentials } from "./client-authentication.ts";
export { CLIENT_PROFILES, type ClientProfile, type ClientProfileName } from "./client-profile.ts";
export { CLOSE_REASONS, type CloseReason, type Closure } from "./closure.ts";
export { ATTEMPT_TIMEOUT_MS, DEFAULT_MRU, OUR_MRU, PROTOCOL } from "./constants.ts";
export type { ChapDigests, Digests } from "./digests.ts";
export type { EapPeer } from "./eap-client.ts";
export type { EchoOptions } from "./echo-monitor.ts";
export { PppError } from "./errors.ts";
export {
    decodeFrame,
    encodeCompressedFrame,
    encodeFrame,
    type Frame,
    FRAME_HEADER_SIZE,
    headerSizeOf,
    isControlProtocol,
    pppProtocolAt,
    protocolOf,
    writeFrameHeader,
} from "./frame.ts";
export type { Identification } from "./identification.ts";
export type { DiscardReason, LinkPhase } from "./link-core.ts";
export type { ClientLinkPorts, LinkPorts, ServerLinkPorts, TimerName } from "./link-ports.ts";
export { PppLink, type ServerLinkOptions } from "./link.ts";
export { decodeMschapFailure, encodeMschapFailure, MSCHAP_ERROR, type MschapFailure } from "./mschap-failure.ts";
export { answerMschapv2, type Mschapv2Answer, provesServer } from "./mschapv2-answer.ts";
export {
    authenticatorResponse,
    CHALLENGE_SIZE,
    challengeHash,
    challengeResponse,
    decodeMschapv2Response,
    encodeMschapv2Response,
    HLAK_SIZE,
    hlakFromKeys,
    type MppeKeys,
    mppeKeys,
    type Mschapv2Response,
    type Mschapv2Verdict,
    ntPasswordHash,
    verifyMschapv2,
    withoutDomain,
} from "./mschapv2.ts";
export type {
    AgreedIpv4,
    AgreedIpv6,
    Family,
    Ipv4Configuration,
    Ipv6Configuration,
    NetworkConfiguration,
} from "./network-configuration.ts";
export type { LcpSnapshot, LinkSnapshot, NcpSnapshot, NetworkSnapshot } from "./snapshot.ts";
