// `session-worker` in postern.yaml.
import { IPV6_MIN_MTU } from "@postern/ip";
import { z } from "zod";
import { byteSize, duration, filePath, listenAddress } from "../scalars.ts";
import { outerTcp } from "./outer-tcp.ts";
import { serviceKeys } from "./service-keys.ts";

const cidr = () => z.union([z.cidrv4(), z.cidrv6()], "a network such as 10.0.0.0/8 or fd00::/8");

const certificate = z.strictObject({
    names: z
        .array(z.string())
        .default([])
        .describe(
            "Names for which these are served; empty: those of the certificate. The first entry serves clients without a name.",
        ),
    pairs: z
        .array(
            z.strictObject({
                certificate: filePath().describe(
                    "PEM, the server's own certificate first, then the intermediate ones.",
                ),
                key: filePath().describe("PEM, the key of that certificate."),
            }),
        )
        .min(1)
        .describe("An RSA and an ECDSA certificate side by side: TLS takes what the client can."),
});

const tickets = z.strictObject({
    secret: filePath()
        .optional()
        .describe(
            "A file that all workers have: each resumes the TLS sessions that another began. Absent: each only its own, until it ends. To replace it voids all tickets.",
        ),
    lifetime: duration({ min: "1m", max: "7d" })
        .prefault("1d")
        .describe("How long a ticket can bring its TLS session back; keys change as often.")
        .meta({
            limit: "How long a certificate that was replaced is good for a crypto binding, on a resumed connection.",
        }),
    tls12: z
        .boolean()
        .default(true)
        .describe("Also for TLS 1.2, where who steals the secret can read recorded connections that had a ticket."),
});

const tls = z.strictObject({
    certificates: z
        .array(certificate)
        .default([])
        .describe("What is served; at least one entry is needed to run a session-worker."),
    minVersion: z.enum(["TLSv1.2", "TLSv1.3"]).default("TLSv1.2").describe("Windows 10 speaks at most TLS 1.2."),
    maxVersion: z.enum(["TLSv1.2", "TLSv1.3"]).default("TLSv1.3").describe("The newest version that is spoken."),
    legacyCbc: z
        .boolean()
        .default(false)
        .describe("Also offer AES-CBC with SHA-1 in TLS 1.2, which older RouterOS clients need."),
    tickets: tickets.prefault({}),
    reloadInterval: duration({ min: "1s" })
        .prefault("10s")
        .describe("How often the files are looked at; changed ones serve new handshakes, live sessions go on."),
});

const proxy = z.strictObject({
    from: z
        .array(cidr())
        .default([])
        .describe("Sources that must send a PROXY protocol header (v1 or v2); from any other it is not parsed."),
    headerTimeout: duration({ min: "100ms", max: "1m" })
        .prefault("3s")
        .describe("How long such a source may take for its header.")
        .meta({ limit: "Sockets of balancers that say nothing." }),
});

const sstp = z.strictObject({
    handshakeTimeout: duration({ min: "1s", max: "5m" })
        .prefault("15s")
        .describe("TLS and the HTTP request together.")
        .meta({ limit: "Connections that have not got as far as SSTP; each holds a TLS context, about 60 KiB." }),
    negotiationTimeout: duration({ min: "5s", max: "10m" })
        .prefault("60s")
        .describe(
            "For the Call Connect Request, and again from there to Call Connected; stands still while authentication is pending.",
        )
        .meta({ limit: "Sessions that do not get on." }),
    negotiationPackets: z
        .int()
        .min(100)
        .max(1_000_000)
        .default(1_000)
        .describe("SSTP packets that a client may send before its crypto binding is verified; clients need about 30.")
        .meta({ limit: "Work that a client without a session can cause on one connection." }),
    hello: duration({ min: "5s", max: "10m" })
        .prefault("60s")
        .describe("Silence before an SSTP echo request; the session ends after twice this time.")
        .meta({ limit: "How long a session whose client is gone keeps its address and memory." }),
    hashes: z
        .enum(["sha1+sha256", "sha256"])
        .default("sha1+sha256")
        .describe("Hashes offered for the crypto binding; RouterOS may need SHA-1."),
});

const ppp = z.strictObject({
    methods: z
        .array(z.enum(["eap", "mschapv2", "chap", "pap"]))
        .min(1)
        .default(["mschapv2", "eap", "pap"])
        .describe("Authentication methods in the order in which they are offered."),
    mtu: z
        .int()
        .min(576)
        .max(1500)
        .default(1400)
        .describe("MTU of the tunnel: of the device, and what TCP MSS is clamped to."),
    terminateTimeout: duration({ min: "100ms", max: "30s" })
        .prefault("2s")
        .describe("How long the client may take to acknowledge the end of PPP before SSTP is ended.")
        .meta({ limit: "Sessions that are being ended." }),
});

const auth = z.strictObject({
    brokerKey: filePath()
        .optional()
        .describe("The auth brokers' public key; passwords are sealed to it. Needed to run a session-worker."),
    timeout: duration({ min: "5s", max: "10m" })
        .prefault("120s")
        .describe("How long one authentication may be pending, for users with a second factor.")
        .meta({ limit: "Sessions that wait for the brokers." }),
    maxAttempts: z
        .int()
        .min(1)
        .max(20)
        .default(3)
        .describe("Credentials that a client may send in one session.")
        .meta({ limit: "Guesses per connection." }),
});

const uplink = z.strictObject({
    kind: z
        .enum(["tun", "null"])
        .default("tun")
        .describe("`null` moves no packet and answers ping at the gateway: for a try without privileges."),
    device: z
        .string()
        .regex(/^pst[a-z0-9-]{1,12}$/, "pst and 1 to 12 lower-case letters, digits or hyphens")
        .default("pst0")
        .describe(
            "Name of the TUN device; one worker, one device. The prefix lets firewall rules hold for all workers of a host.",
        ),
    gateway: z.ipv4().default("10.91.0.1").describe("The server's address inside every tunnel."),
    mode: z
        .enum(["nat", "routed"])
        .default("nat")
        .describe(
            "`nat`: clients appear with this host's address; `routed`: the network knows the way back to the pools.",
        ),
    pools: z
        .array(z.cidrv4())
        .default(["10.91.0.0/16"])
        .describe("Every address range that sessions can have, on all workers."),
    ipv6: z
        .strictObject({
            gateway: z.ipv6().describe("The server's IPv6 address inside every tunnel, such as `fd12:3456:789a::1`."),
            pools: z
                .array(z.cidrv6())
                .min(1)
                .describe("Every IPv6 network that sessions can have a /64 of, on all workers."),
        })
        .optional()
        .describe("Absent: no IPv6 packet is carried. It takes `ppp.mtu` of 1280 at least."),
    clientToClient: z.boolean().default(false).describe("Whether clients may reach one another."),
});

const limits = z.strictObject({
    sessions: z
        .int()
        .min(1)
        .max(65_000)
        .default(10_000)
        .describe("Sessions of this worker; at the limit it answers probes with 503 and is given no more.")
        .meta({ limit: "Memory and sockets of one worker: about 65 KiB and one socket an idle session." }),
    strangers: z
        .int()
        .min(10)
        .max(65_000)
        .default(1_000)
        .describe(
            "Sessions that the registry has not admitted yet; beyond them a new one takes the place of the oldest, of those first that sent no credentials.",
        )
        .meta({ limit: "What clients without a login can take of `sessions`, and keep from others." }),
    connections: z
        .int()
        .min(1)
        .max(65_000)
        .default(12_000)
        .describe("Connections of this worker, sessions included.")
        .meta({ limit: "File descriptors." }),
    queuedData: byteSize({ min: "16KiB", max: "16MiB" })
        .prefault("256KiB")
        .describe(
            "Bytes waiting for one client beyond which inner packets are dropped; for a slow one, already beyond what it takes in 50 ms.",
        )
        .meta({ limit: "Memory and delay of one session whose client reads slowly." }),
    queuedTotal: byteSize({ min: "64KiB", max: "64MiB" })
        .prefault("1MiB")
        .describe("Bytes waiting for one client beyond which its session is ended.")
        .meta({ limit: "Memory of one session whose client does not read at all." }),
});

export const sessionWorkerSection = z
    .strictObject({
        ...serviceKeys("127.0.0.1:9201"),
        listen: listenAddress()
            .prefault("127.0.0.1:8443")
            .describe("Where ingresses connect, or clients without an ingress."),
        advertise: z.string().optional().describe("Host that ingresses connect to, if it is not the host of `listen`."),
        heartbeat: duration({ min: "200ms", max: "1m" })
            .prefault("1s")
            .describe("How often this worker's record in `workers` is renewed."),
        updateInterval: duration({ min: "1s", max: "1d" })
            .prefault("60s")
            .describe("How often `session.updated` is published for each session."),
        tls: tls.prefault({}),
        proxy: proxy.prefault({}),
        tcp: outerTcp(),
        sstp: sstp.prefault({}),
        ppp: ppp.prefault({}),
        auth: auth.prefault({}),
        uplink: uplink.prefault({}),
        limits: limits.prefault({}),
    })
    .superRefine(({ ppp: { mtu }, uplink: { ipv6 } }, context) => {
        if (ipv6 === undefined || mtu >= IPV6_MIN_MTU) return;
        const message = `IPv6 takes ppp.mtu of ${IPV6_MIN_MTU} at least, and it is ${mtu}`;
        context.addIssue({ code: "custom", path: ["uplink", "ipv6"], message });
    });
export type SessionWorkerSection = z.output<typeof sessionWorkerSection>;
