// A RADIUS server that is asked, over UDP or TLS, wherever postern.yaml names one.
import { z } from "zod";
import { filePath, listenAddress } from "../scalars.ts";

const tls = z
    .strictObject({
        caFile: filePath()
            .optional()
            .describe("Certificates (PEM) that the server's must come from; without it those that Node knows."),
        certificateFile: filePath()
            .optional()
            .describe("Our certificate (PEM, with what is between it and the root), where the server wants one."),
        keyFile: filePath().optional().describe("Its key, in a file of mode 0600."),
        serverName: z
            .string()
            .min(1)
            .max(255)
            .optional()
            .describe("The name that the server's certificate must have; without it the host of `address`."),
    })
    .superRefine(({ certificateFile, keyFile }, context) => {
        if ((certificateFile === undefined) === (keyFile === undefined)) return;
        const path = [certificateFile === undefined ? "certificateFile" : "keyFile"];
        context.addIssue({ code: "custom", path, message: "certificateFile and keyFile belong together" });
    });

export const radiusServer = z
    .strictObject({
        address: listenAddress().describe("Host and port: `10.0.0.5:1812`, or with `tls` usually `…:2083`."),
        tls: tls
            .optional()
            .describe("RADIUS over TLS (RadSec, RFC 6614), with the server's certificate verified; without it UDP."),
        secretFile: filePath()
            .optional()
            .describe(
                "The shared secret, in a file of mode 0600; a newline at its end does not count. Needed without `tls`; with it the default is `radsec`, as RFC 6614 has it.",
            ),
        priority: z
            .int()
            .min(0)
            .max(1_000)
            .default(0)
            .describe("Servers of a higher number are asked only when no lower one is alive."),
        weight: z.int().min(1).max(1_000).default(1).describe("Share of the load among servers of the same priority."),
    })
    .superRefine(({ tls: usesTls, secretFile }, context) => {
        if (usesTls !== undefined || secretFile !== undefined) return;
        context.addIssue({ code: "custom", path: ["secretFile"], message: "needed without tls: a file of mode 0600" });
    });
