// A stage on which a FreeRADIUS decides about every login.
import { startFreeRadius, type FreeRadius, type FreeRadiusOptions } from "@postern/testkit";
import { LoginStage, type Settings } from "./login-stage.ts";
import type { Topology } from "./topology.ts";

const PORT = 1812;

export interface RadiusStage {
    readonly stage: LoginStage;
    readonly radius: FreeRadius;
}

/** `prepare` says who its users are; it may start what the server needs. */
export async function openRadiusStage(
    prepare: (topology: Topology, resources: AsyncDisposableStack) => Promise<FreeRadiusOptions>,
    settings: Settings = {},
): Promise<RadiusStage> {
    let radius: FreeRadius | undefined;
    const stage = await LoginStage.open(async (topology, resources) => {
        const options = await prepare(topology, resources);
        const spawn = topology.server.spawn.bind(topology.server);
        radius = resources.use(await startFreeRadius({ ...options, port: PORT, spawn }));
        const servers = [{ address: `${radius.address}:${radius.port}`, secretFile: radius.secretFile }];
        return {
            "auth-broker.backends": { company: { kind: "radius", servers } },
            "auth-broker.chain": [{ backends: [{ use: "company" }] }],
            ...settings,
        };
    });
    if (radius === undefined) throw new Error("no server was started");
    return { stage, radius };
}
