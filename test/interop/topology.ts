// The network of an interoperability test: three hosts, each a network namespace.
//
//      client                         server                          inside
//   ┌───────────────────┐         ┌────────────────────┐         ┌──────────────────┐
//   │ tap0 ─┐           │  veth   │                    │  veth   │                  │
//   │ tap1 ─┼─ br0 ─ up0├─────────┤ outside     inside ├─────────┤ eth0             │
//   │  guests .11, .12… │         │ .1              .1 │         │ .10              │
//   └───────────────────┘         └────────────────────┘         └──────────────────┘
//       198.51.100.0/24, 2001:db8:51::/64        192.0.2.0/24, 2001:db8:2::/64
//
// `inside` is the company's network.  It has no default route: what reaches it must come from 192.0.2.0/24, that is,
// through the server and with its address.  Clients have no route to it but through a tunnel.
import { NetworkNamespace, removeLeftoverNamespaces } from "./network-namespace.ts";

export const ADDRESSES = {
    /** What clients dial. */
    server: "198.51.100.1",
    serverIpv6: "2001:db8:51::1",
    /** The namespace `client` itself, for clients that need no guest. */
    client: "198.51.100.2",
    clientIpv6: "2001:db8:51::2",
    /** The server's address in the company's network. */
    gateway: "192.0.2.1",
    gatewayIpv6: "2001:db8:2::1",
    /** The host in the company's network. */
    inside: "192.0.2.10",
    insideIpv6: "2001:db8:2::10",
} as const;
export const INSIDE_NETWORK = "192.0.2.0/24";
/** The interface of `server` that clients reach, for captures. */
export const OUTSIDE_INTERFACE = "outside";

/** Where a guest plugs in: a TAP device in the `client` namespace and the addresses to use behind it. */
export interface GuestPort {
    readonly tap: string;
    readonly address: string;
    readonly ipv6: string;
}

export interface Topology extends AsyncDisposable {
    readonly client: NetworkNamespace;
    readonly server: NetworkNamespace;
    readonly inside: NetworkNamespace;
    addGuestPort(): Promise<GuestPort>;
}

/** Builds the network; `await using` takes it down with all processes in it. */
export async function createTopology(): Promise<Topology> {
    for (const name of removeLeftoverNamespaces()) {
        process.emitWarning(`removed the network namespace ${name}, left by a test run that was killed`);
    }
    await using made = new AsyncDisposableStack();
    const client = made.use(await NetworkNamespace.create("client"));
    const server = made.use(await NetworkNamespace.create("server"));
    const inside = made.use(await NetworkNamespace.create("inside"));

    await client.ip("link", "add", "br0", "type", "bridge");
    await client.ip("link", "add", "up0", "type", "veth", "peer", "name", OUTSIDE_INTERFACE, "netns", server.name);
    await client.ip("link", "set", "up0", "master", "br0");
    await client.ip("link", "set", "up0", "up");
    await server.ip("link", "add", "inside", "type", "veth", "peer", "name", "eth0", "netns", inside.name);
    await configure(client, "br0", `${ADDRESSES.client}/24`, `${ADDRESSES.clientIpv6}/64`);
    await configure(server, OUTSIDE_INTERFACE, `${ADDRESSES.server}/24`, `${ADDRESSES.serverIpv6}/64`);
    await configure(server, "inside", `${ADDRESSES.gateway}/24`, `${ADDRESSES.gatewayIpv6}/64`);
    await configure(inside, "eth0", `${ADDRESSES.inside}/24`, `${ADDRESSES.insideIpv6}/64`);

    let ports = 0;
    const resources = made.move();
    return {
        client,
        server,
        inside,
        addGuestPort: async () => {
            const tap = `tap${ports}`;
            ports += 1;
            await client.ip("tuntap", "add", "dev", tap, "mode", "tap");
            await client.ip("link", "set", tap, "master", "br0", "up");
            return { tap, address: `198.51.100.${10 + ports}`, ipv6: `2001:db8:51::${(0x10 + ports).toString(16)}` };
        },
        [Symbol.asyncDispose]: () => resources.disposeAsync(),
    };
}

/** Without duplicate address detection an IPv6 address can be used at once. */
async function configure(namespace: NetworkNamespace, device: string, ipv4: string, ipv6: string): Promise<void> {
    await namespace.ip("address", "add", ipv4, "dev", device);
    await namespace.ip("address", "add", ipv6, "dev", device, "nodad");
    await namespace.ip("link", "set", device, "up");
}
