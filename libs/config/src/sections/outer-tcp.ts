// How the services that own clients' sockets treat them: tcp(7).
import { z } from "zod";
import { byteSize, duration } from "../scalars.ts";

/** The key `tcp` of the ingress and of the session-worker. */
export const outerTcp = () =>
    z
        .strictObject({
            keepAlive: z
                .strictObject({
                    idle: duration({ min: "1s", max: "9h" })
                        .prefault("30s")
                        .describe("Silence after which the peer's kernel is asked whether it is still there."),
                    interval: duration({ min: "1s", max: "9h" })
                        .prefault("15s")
                        .describe("Between such questions, as long as no answer comes."),
                    probes: z
                        .int()
                        .min(1)
                        .max(127)
                        .default(4)
                        .describe("Questions without an answer after which the connection is over."),
                })
                .prefault({}),
            userTimeout: duration({ min: "1s", max: "1h" })
                .prefault("90s")
                .describe(
                    "How long what was sent may stay unacknowledged, or the peer read nothing, until the connection is over; Linux.",
                )
                .meta({
                    limit: "How long a connection whose peer is gone, or does not read, keeps what waits for it.",
                }),
            notSentLowat: byteSize({ min: "16KiB", max: "16MiB" })
                .prefault("128KiB")
                .describe(
                    "Bytes that the kernel takes for a peer beyond what is on its way (TCP_NOTSENT_LOWAT); Linux.",
                )
                .meta({ limit: "Delay and kernel memory of a connection whose peer is slower than we are." }),
            sampleInterval: duration({ min: "1s", max: "1h" })
                .prefault("10s")
                .describe(
                    "How often the kernel is asked for round trips and retransmissions of each connection, of 1,000 a second at most; Linux.",
                ),
        })
        .prefault({});
