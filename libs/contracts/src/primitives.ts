// The words that every message on the bus is made of.
import { z } from "zod";

/** Names a session for its whole life, chosen by the worker; the idempotency key of every registry request. */
export const SessionId = z.string().regex(/^[0-9a-z]{8,40}$/, "8 to 40 lower-case letters or digits");

/** Names a running copy of a service, unique in the installation and stable over restarts: `w1`, `ingress-a`. */
export const InstanceId = z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lower-case letters, digits and hyphens, at most 63");

/** Names one accepted TCP connection; carried to the worker as PROXY v2 UNIQUE_ID. */
export const ConnectionId = z.string().regex(/^[0-9a-z]{8,40}$/);

/** What the backend verified: the canonical user name. */
export const Principal = z.string().min(1).max(256);

/** How a client proves who it is: PAP, CHAP with MD5, MS-CHAPv2, or any method inside of EAP. */
export const AuthMethod = z.enum(["pap", "chap", "mschapv2", "eap"]);
export type AuthMethod = z.infer<typeof AuthMethod>;

/** Raised by every start of an instance and by every take-over of a session: the higher one is right. */
export const Epoch = z.int().nonnegative();

/** RFC 3339, UTC, milliseconds. */
export const Timestamp = z.iso.datetime({ precision: 3 });

export const Base64 = z.base64();

export const IpAddress = z.union([z.ipv4(), z.ipv6()]);

/** The network that a session's IPv6 addresses are in: `fd00:db8:0:2a::/64`. */
export const Ipv6Prefix = z.cidrv6().regex(/\/64$/, "a /64");

/** Where the client's TCP connection comes from, as far as trusted balancers tell. */
export const ClientEndpoint = z.strictObject({ address: IpAddress, port: z.int().min(0).max(65_535) });
export type ClientEndpoint = z.infer<typeof ClientEndpoint>;

/** Bytes and packets of the inner traffic; `in` is from the client. */
export const Counters = z.strictObject({
    bytesIn: z.int().nonnegative(),
    bytesOut: z.int().nonnegative(),
    packetsIn: z.int().nonnegative(),
    packetsOut: z.int().nonnegative(),
    droppedIn: z.int().nonnegative(),
    droppedOut: z.int().nonnegative(),
});
export type Counters = z.infer<typeof Counters>;

const figure = () => z.number().nonnegative().optional();

/**
 * TCP to the client as the kernel of whoever owns the client's socket sees it, RFC 9293; what that kernel does not know is missing.
 * Times are milliseconds, segments are those with data.
 */
export const PathFigures = z.strictObject({
    rtt: figure(),
    rttVariation: figure(),
    minRtt: figure(),
    segmentsOut: figure(),
    retransmits: figure(),
    duplicates: figure(),
    lost: figure(),
    segmentsIn: figure(),
    outOfOrder: figure(),
    bytesAcked: figure(),
    notSent: figure(),
    inFlight: figure(),
    window: figure(),
    segmentSize: figure(),
    deliveryRate: figure(),
});
export type PathFigures = z.infer<typeof PathFigures>;

/**
 * A secret that only the holder of one X25519 private key can read.
 * HKDF-SHA-256 over the shared secret, AES-256-GCM; `context` is authenticated and says what the secret is for.
 */
export const Sealed = z.strictObject({
    scheme: z.literal("x25519-hkdf-sha256-aes256gcm"),
    ephemeralKey: Base64,
    nonce: Base64,
    ciphertext: Base64,
});
export type Sealed = z.infer<typeof Sealed>;
