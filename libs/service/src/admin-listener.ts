// /healthz, /readyz and /metrics on the admin address.  Nothing here changes anything.
import type { ListenAddress } from "@postern/config";
import { DependencyError } from "@postern/errors";
import type { Metrics } from "@postern/telemetry";
import fastify from "fastify";

interface Ports {
    readonly address: ListenAddress;
    readonly metrics: Metrics;
    /** Why new work should go elsewhere; `undefined`: ready. */
    readonly readiness: () => string | undefined;
    /** What `/healthz` tells about the process. */
    readonly identity: { readonly service: string; readonly instance: string; readonly epoch: number };
}

export interface AdminListener {
    /** `http://127.0.0.1:9101` */
    readonly url: string;
    close(): Promise<void>;
}

/** Throws `ADMIN_LISTEN_FAILED` when the address is taken. */
export async function startAdminListener({ address, metrics, readiness, identity }: Ports): Promise<AdminListener> {
    const server = fastify({ logger: false, forceCloseConnections: true });
    server.get("/healthz", () => ({ status: "alive", ...identity, pid: process.pid }));
    server.get("/readyz", (_request, reply) => {
        const reason = readiness();
        return reason === undefined
            ? reply.send({ status: "ready" })
            : reply.code(503).send({ status: "not ready", reason });
    });
    server.get("/metrics", async (_request, reply) => reply.type(metrics.contentType).send(await metrics.expose()));
    try {
        // fastify adds to its options, and ours are frozen.
        return { url: await server.listen({ ...address }), close: () => server.close() };
    } catch (error) {
        const where = `${address.host}:${address.port}`;
        throw new DependencyError("ADMIN_LISTEN_FAILED", `the admin address ${where} cannot be used`, { cause: error });
    }
}
