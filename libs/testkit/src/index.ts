export type { CertificateAuthority, CertificateRequest, IssuedCertificate, KeyType } from "./certificate-authority.ts";
export { createCertificateAuthority } from "./certificates.ts";
export { testMessageDecoder, testPushDecoder, testStreamDecoder } from "./decoder-suite.ts";
export type {
    Decoded,
    DecoderSuite,
    MalformedVector,
    MessageDecoderSuite,
    PushDecoder,
    Vector,
} from "./decoder-suite.ts";
export { duplexPair } from "./duplex-pair.ts";
export type { DuplexPairOptions, MemorySocket } from "./duplex-pair.ts";
export { eventually, waitForValue } from "./eventually.ts";
export type { Patience } from "./eventually.ts";
export { FakeClock } from "./fake-clock.ts";
export type { FakeTimer } from "./fake-clock.ts";
export { FreeRadius, startFreeRadius, type FreeRadiusOptions } from "./free-radius/free-radius.ts";
export { startRadsecProxy, type RadsecProxy } from "./free-radius/radsec-proxy.ts";
export type { RadiusUser } from "./free-radius/raddb.ts";
export { KeptLog, silentLog } from "./kept-log.ts";
export { startNatsServer } from "./nats-server.ts";
export type { NatsServer, NatsServerOptions } from "./nats-server.ts";
export { SambaDomain, startSambaDomain, type SambaDomainOptions } from "./samba-domain/samba-domain.ts";
export { GROUPS, groupDn, PEOPLE, SERVICE_DN, userDn } from "./slapd/slapd-conf.ts";
export { Slapd, startSlapd, type SlapdOptions } from "./slapd/slapd.ts";
export { mountSmallDisk, type SmallDisk } from "./small-disk.ts";
export { inOwnNamespace } from "./own-namespace.ts";
export { spawnBound } from "./spawn-bound.ts";
export { startUdpServer, type UdpServer } from "./udp-server.ts";
export { createTemporaryDirectory } from "./temporary-directory.ts";
export type { TemporaryDirectory } from "./temporary-directory.ts";
