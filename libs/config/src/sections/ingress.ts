// `ingress` in postern.yaml.
import { z } from "zod";
import { byteSize, duration, listenAddress } from "../scalars.ts";
import { outerTcp } from "./outer-tcp.ts";
import { serviceKeys } from "./service-keys.ts";

const cidr = () => z.union([z.cidrv4(), z.cidrv6()], "a network such as 10.0.0.0/8 or fd00::/8");

const proxy = z.strictObject({
    from: z
        .array(cidr())
        .default([])
        .describe(
            "Balancers in front that must send a PROXY protocol header (v1 or v2); from any other source it is not parsed.",
        ),
    headerTimeout: duration({ min: "100ms", max: "1m" })
        .prefault("3s")
        .describe("How long such a balancer may take for its header.")
        .meta({ limit: "Sockets of balancers that say nothing." }),
});

const limits = z.strictObject({
    connections: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(9_000)
        .describe("Client connections at once; each takes two file descriptors.")
        .meta({ limit: "File descriptors and memory of one ingress, about 40 KiB a connection." }),
    perSource: z
        .int()
        .min(1)
        .default(200)
        .describe("Connections at once from one IPv4 address or IPv6 /64; many users can share one behind NAT.")
        .meta({ limit: "What a single source can take of `connections`." }),
    acceptRate: z
        .number()
        .positive()
        .default(20)
        .describe("New connections a second from one source, on average.")
        .meta({ limit: "TLS handshakes that one source can cause on the workers." }),
    acceptBurst: z
        .int()
        .min(1)
        .default(100)
        .describe("New connections that one source may make at once before the average counts.")
        .meta({ limit: "The bucket behind `acceptRate`." }),
    sources: z
        .int()
        .min(100)
        .default(100_000)
        .describe("Sources that are remembered for these limits; the longest silent one is forgotten first.")
        .meta({ limit: "Memory of the source table, about 200 bytes each." }),
    connectionEvents: z
        .int()
        .min(1)
        .max(10_000)
        .default(20)
        .describe(
            "Connections a second, on average, that get events `connection.opened` and `connection.closed`; of more there are none.",
        )
        .meta({ limit: "What strangers can put into the stream EVENTS, about 1 KiB a connection." }),
    firstByte: duration({ min: "100ms", max: "5m" })
        .prefault("15s")
        .describe("How long a client may be silent after it has connected.")
        .meta({ limit: "Connections that only occupy a socket; no worker sees them." }),
    idle: duration({ min: "1m", max: "7d" })
        .prefault("10m")
        .describe("How long a connection may move no byte in either direction; SSTP clients send an echo every minute.")
        .meta({ limit: "Connections whose both ends are gone without a word." }),
});

const health = z.strictObject({
    interval: duration({ min: "100ms", max: "1m" })
        .prefault("1s")
        .describe("How often each worker is asked HEAD on the SSTP URI, over TLS."),
    timeout: duration({ min: "100ms", max: "1m" }).prefault("1s").describe("How long an answer may take."),
    rise: z
        .int()
        .min(1)
        .max(20)
        .default(2)
        .describe("Good answers in a row after which a worker that failed gets connections again."),
    fall: z
        .int()
        .min(1)
        .max(20)
        .default(2)
        .describe("Bad answers in a row after which a worker gets no new connections."),
});

export const ingressSection = z.strictObject({
    ...serviceKeys("127.0.0.1:9101"),
    listen: z
        .array(listenAddress())
        .min(1)
        .prefault(["[::]:443"])
        .describe("Where clients connect; `[::]` takes IPv4 as well. Several ingresses on one host share a port."),
    balance: z
        .enum(["least-sessions", "maglev"])
        .default("least-sessions")
        .describe(
            "`least-sessions`: the emptier of two random workers; `maglev`: by source address, so that a client comes back to the same one.",
        ),
    connectTimeout: duration({ min: "50ms", max: "30s" })
        .prefault("1s")
        .describe("How long a worker may take to accept before the next one is tried."),
    answerTimeout: duration({ min: "100ms", max: "1m" })
        .prefault("5s")
        .describe("How long a worker may take to answer a TLS ClientHello before the next one is tried.")
        .meta({ limit: "Connections to a worker that accepts and then hangs." }),
    lostAfter: duration({ min: "1s", max: "1h" })
        .prefault("20s")
        .describe("Connections to a worker that neither answers nor renews its record are closed after this time."),
    sampleEvents: z
        .int()
        .min(1)
        .default(1)
        .describe(
            "One connection in so many is published as `connection.opened` and `connection.closed`; all are counted.",
        ),
    proxy: proxy.prefault({}),
    tcp: outerTcp(),
    linkBuffer: byteSize({ min: "32KiB", max: "64MiB" })
        .prefault("128KiB")
        .describe(
            "What a worker may send ahead of a client that reads slowly (SO_RCVBUF of the link); one session moves at most this much in a round trip between ingress and worker. Linux.",
        )
        .meta({ limit: "Delay and kernel memory of a connection whose client is slower than its worker." }),
    limits: limits.prefault({}),
    health: health.prefault({}),
});
export type IngressSection = z.output<typeof ingressSection>;
