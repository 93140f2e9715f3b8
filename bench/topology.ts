// Two hosts, each a network namespace, joined by a wire without delay:
//
//     clients ─── veth ─── servers
//     198.51.100.2         198.51.100.1
//
// The inner addresses of tunnels' servers are in `servers` too, and so is what answers there.
import { NetworkNamespace, removeLeftoverNamespaces } from "../test/interop/network-namespace.ts";

export const SERVER_ADDRESS = "198.51.100.1";
const CLIENT_ADDRESS = "198.51.100.2";
const PREFIX_LENGTH = 24;

export interface Topology extends AsyncDisposable {
    readonly clients: NetworkNamespace;
    readonly servers: NetworkNamespace;
}

/** `await using` takes it down, with all processes in it; what a killed run has left is taken down first. */
export async function createTopology(): Promise<Topology> {
    for (const name of removeLeftoverNamespaces()) {
        process.emitWarning(`removed the network namespace ${name}, left by a run that was killed`);
    }
    await using made = new AsyncDisposableStack();
    const clients = made.use(await NetworkNamespace.create("clients"));
    const servers = made.use(await NetworkNamespace.create("servers"));
    await clients.ip("link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", servers.name);
    for (const [namespace, address] of [
        [clients, CLIENT_ADDRESS],
        [servers, SERVER_ADDRESS],
    ] as const) {
        await namespace.ip("address", "add", `${address}/${PREFIX_LENGTH}`, "dev", "wire");
        await namespace.ip("link", "set", "wire", "up");
    }
    const resources = made.move();
    return { clients, servers, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}
