// The server's end of the network phase, RFC 1661 §3.6: the client's lease made into option handlers, and back into a snapshot.
import { InvariantError } from "@postern/errors";
import { interfaceIdFromText, interfaceIdToText } from "./address.ts";
import { Identifiers } from "./identifiers.ts";
import { serverIpcpHandlers } from "./ipcp.ts";
import { InterfaceIdOption } from "./ipv6cp.ts";
import type { Family, Ipv6Configuration, NetworkConfiguration } from "./network-configuration.ts";
import { type NcpDefinition, type NcpName, NetworkPhase, type NetworkPhasePorts } from "./network-phase.ts";
import type { NcpSnapshot, NetworkSnapshot } from "./snapshot.ts";

const FIRST_IDENTIFIER = 1;

export class ServerNetwork {
    readonly #phase: NetworkPhase;
    #configuration: NetworkConfiguration | undefined;
    #interfaceIds: InterfaceIdOption | undefined;

    constructor(ports: NetworkPhasePorts) {
        this.#phase = new NetworkPhase(ports);
    }

    /**
     * Starts what is configured or, from a snapshot, goes on with what was open.  Returns what came too early, by protocol: to
     * be received now.
     */
    configure(configuration: NetworkConfiguration, snapshot?: NetworkSnapshot): ReadonlyMap<number, Uint8Array> {
        if (this.#configuration !== undefined) throw new InvariantError("the network is configured already");
        const { ipv4, ipv6 } = configuration;
        if (ipv4 === undefined && ipv6 === undefined) throw new InvariantError("no network is configured");
        const definitions = new Map<Family, NcpDefinition>();
        if (ipv4 !== undefined) {
            definitions.set("ipv4", ncpDefinition(serverIpcpHandlers(ipv4), snapshot?.ipcp));
        }
        if (ipv6 !== undefined) {
            this.#interfaceIds = interfaceIdOption(ipv6, snapshot?.ipv6cp?.clientInterfaceId);
            definitions.set("ipv6", ncpDefinition([this.#interfaceIds], snapshot?.ipv6cp));
        }
        this.#configuration = configuration;
        // IPv4 cannot wait: some clients want our request first.  A client that has IPv6 asks for it itself, and some of
        // those that have not end the session when asked.
        return this.#phase.configure(definitions, snapshot === undefined && ipv4 !== undefined ? ["ipv4"] : []);
    }

    isOpen(family: Family): boolean {
        return this.#phase.isOpen(family);
    }

    /** While IPv6 is open, unless the client does not want to be told. */
    get serverInterfaceId(): string | undefined {
        const id = this.isOpen("ipv6") ? this.#interfaceIds?.ours : undefined;
        return id === undefined ? undefined : interfaceIdToText(id);
    }

    /** While IPv6 is open. */
    get clientInterfaceId(): string | undefined {
        const id = this.isOpen("ipv6") ? this.#interfaceIds?.peer : undefined;
        return id === undefined ? undefined : interfaceIdToText(id);
    }

    onFrame(protocol: number, payload: Uint8Array): boolean {
        return this.#phase.onFrame(protocol, payload);
    }

    onTimer(name: NcpName): void {
        this.#phase.onTimer(name);
    }

    protocolRejected(protocol: number): void {
        this.#phase.protocolRejected(protocol);
    }

    down(): void {
        this.#phase.down();
    }

    snapshot(): NetworkSnapshot | undefined {
        if (this.#configuration === undefined) return undefined;
        const { ipv4, ipv6 } = this.#configuration;
        const ours = this.#interfaceIds?.ours;
        const serverInterfaceId = ours === undefined ? {} : { serverInterfaceId: interfaceIdToText(ours) };
        const { clientInterfaceId } = this;
        const ipcp = this.#ncpSnapshot("ipv4");
        const ipv6cp = this.#ncpSnapshot("ipv6");
        return {
            network: {
                ...(ipv4 === undefined ? {} : { ipv4 }),
                ...(ipv6 === undefined ? {} : { ipv6: { ...ipv6, ...serverInterfaceId } }),
            },
            ...(ipcp === undefined ? {} : { ipcp }),
            ...(ipv6cp === undefined
                ? {}
                : { ipv6cp: clientInterfaceId === undefined ? ipv6cp : { ...ipv6cp, clientInterfaceId } }),
        };
    }

    #ncpSnapshot(family: Family): NcpSnapshot | undefined {
        const nextIdentifier = this.#phase.nextIdentifier(family);
        return nextIdentifier === undefined ? undefined : { opened: this.isOpen(family), nextIdentifier };
    }
}

const ncpDefinition = (handlers: NcpDefinition["handlers"], snapshot: NcpSnapshot | undefined): NcpDefinition => ({
    handlers,
    identifiers: new Identifiers(snapshot?.nextIdentifier ?? FIRST_IDENTIFIER),
    open: snapshot?.opened ?? false,
});

function interfaceIdOption(configuration: Ipv6Configuration, peer: string | undefined): InterfaceIdOption {
    const { serverInterfaceId, clientInterfaceId } = configuration;
    if (serverInterfaceId === clientInterfaceId) throw new InvariantError("both ends have one interface identifier");
    return new InterfaceIdOption(
        interfaceIdFromText(serverInterfaceId),
        interfaceIdFromText(clientInterfaceId),
        peer === undefined ? undefined : interfaceIdFromText(peer),
    );
}
