// Real buses on a real server, with what they log kept for assertions.
import { KeptLog, startNatsServer, type NatsServer } from "@postern/testkit";
import { applyBus, connectBus, type Bus, type BusLayout, type BusOptions } from "../src/index.ts";

export const LAYOUT: BusLayout = {
    replicas: 1,
    eventsMaxAge: 3_600_000,
    eventsMaxBytes: 16 * 1024 * 1024,
    workerTtl: 2_000,
};

export interface TestBus extends AsyncDisposable {
    readonly bus: Bus;
    readonly log: KeptLog;
}

export async function openBus(
    server: Pick<NatsServer, "url">,
    instance: string,
    options: Partial<BusOptions> = {},
): Promise<TestBus> {
    const log = new KeptLog();
    const bus = await connectBus({ servers: [server.url], instance, tenant: "main", log, ...options });
    return { bus, log, [Symbol.asyncDispose]: () => bus.close() };
}

/** Creates everything, as `postern bus apply` does. */
export async function applyLayout(server: Pick<NatsServer, "url">, layout: Partial<BusLayout> = {}): Promise<void> {
    await using admin = await openBus(server, "admin");
    await applyBus(admin.bus, { ...LAYOUT, ...layout });
}

/** A bus with all rights, on a server of its own where everything has been created. */
export async function startAdmin(): Promise<TestBus> {
    await using undo = new AsyncDisposableStack();
    const server = undo.use(await startNatsServer());
    await applyLayout(server);
    const { bus, log } = undo.use(await openBus(server, "admin"));
    const all = undo.move();
    return { bus, log, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
