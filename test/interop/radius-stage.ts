// A stage on which a FreeRADIUS decides about every login.
import { startFreeRadius, startRadsecProxy, type FreeRadius, type FreeRadiusOptions } from "@postern/testkit";
import { LoginStage, type Settings } from "./login-stage.ts";
import type { Topology } from "./topology.ts";

const PORT = 1812;
const TLS_PORT = 2083;
/** Of users about whom the same server is asked over TLS. */
export const TLS_REALM = "radsec.test";

export interface RadiusStage {
    readonly stage: LoginStage;
    readonly radius: FreeRadius;
}

export interface RadiusScene extends FreeRadiusOptions {
    /** Backends beside the server. */
    readonly backends?: Readonly<Record<string, unknown>>;
    /** Who is asked; default: the server, as `company`. */
    readonly chain?: readonly unknown[];
}

/** `prepare` says who its users are; it may start what the server needs. */
export async function openRadiusStage(
    prepare: (topology: Topology, resources: AsyncDisposableStack) => Promise<RadiusScene>,
    settings: Settings = {},
): Promise<RadiusStage> {
    let radius: FreeRadius | undefined;
    const stage = await LoginStage.open(async (topology, resources) => {
        const { backends, chain, ...options } = await prepare(topology, resources);
        const spawn = topology.server.spawn.bind(topology.server);
        radius = resources.use(await startFreeRadius({ ...options, port: PORT, spawn }));
        const { address } = radius;
        const proxy = resources.use(await startRadsecProxy({ radius, port: TLS_PORT, client: address, spawn }));
        const { ca, certificate, key } = proxy.files;
        const tls = { caFile: ca, certificateFile: certificate, keyFile: key };
        return {
            "auth-broker.backends": {
                company: {
                    kind: "radius",
                    servers: [{ address: `${address}:${radius.port}`, secretFile: radius.secretFile }],
                },
                ...backends,
                secure: { kind: "radius", servers: [{ address: proxy.address, tls }] },
            },
            "auth-broker.chain": [
                { realm: TLS_REALM, backends: [{ use: "secure" }] },
                ...(chain ?? [{ backends: [{ use: "company" }] }]),
            ],
            ...settings,
        };
    });
    if (radius === undefined) throw new Error("no server was started");
    return { stage, radius };
}
