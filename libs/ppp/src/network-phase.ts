// The network phase, RFC 1661 §3.6: IPCP and IPV6CP side by side.  One may fail or end without the other; when none is
// left there is nothing more to do with the link.
import { copyBytes } from "@postern/bytes";
import { CODE, PROTOCOL } from "./constants.ts";
import { decodeControlPacket } from "./control-packet.ts";
import type { Identifiers } from "./identifiers.ts";
import { type FinishCause, Negotiation } from "./negotiation.ts";
import type { Family } from "./network-configuration.ts";
import type { OptionHandler } from "./option-handler.ts";

export type NcpName = "ipcp" | "ipv6cp";

export interface NetworkPhasePorts {
    readonly send: (protocol: number, packet: Uint8Array) => void;
    readonly startTimer: (name: NcpName, milliseconds: number) => void;
    readonly stopTimer: (name: NcpName) => void;
    readonly opened: (family: Family) => void;
    readonly lost: (family: Family) => void;
    readonly rejectProtocol: (protocol: number, payload: Uint8Array) => void;
    /** No family is open and none can become so. */
    readonly exhausted: (detail: string) => void;
    readonly peerMru: () => number;
}

export interface NcpDefinition {
    readonly handlers: readonly OptionHandler[];
    readonly identifiers: Identifiers;
    /** Goes on open, from a snapshot. */
    readonly open?: boolean;
}

interface Ncp {
    readonly negotiation: Negotiation;
    readonly identifiers: Identifiers;
    finished: FinishCause | undefined;
}

const FAMILY_OF: ReadonlyMap<number, Family> = new Map([
    [PROTOCOL.ipcp, "ipv4"],
    [PROTOCOL.ipv6cp, "ipv6"],
    [PROTOCOL.ipv4, "ipv4"],
    [PROTOCOL.ipv6, "ipv6"],
]);
const PROTOCOL_OF: Readonly<Record<Family, number>> = { ipv4: PROTOCOL.ipcp, ipv6: PROTOCOL.ipv6cp };
const NAME_OF: Readonly<Record<Family, NcpName>> = { ipv4: "ipcp", ipv6: "ipv6cp" };

export const isNetworkControl = (protocol: number): boolean =>
    protocol === PROTOCOL.ipcp || protocol === PROTOCOL.ipv6cp;

export class NetworkPhase {
    readonly #ports: NetworkPhasePorts;
    readonly #ncps = new Map<Family, Ncp>();
    /** The latest packet of each protocol that came before `configure`. */
    #held: Map<number, Uint8Array> | undefined = new Map<number, Uint8Array>();

    constructor(ports: NetworkPhasePorts) {
        this.#ports = ports;
    }

    /** Defines the protocols and starts those in `active`.  Returns what came too early, by protocol: to be received now. */
    configure(
        definitions: ReadonlyMap<Family, NcpDefinition>,
        active: readonly Family[],
    ): ReadonlyMap<number, Uint8Array> {
        for (const [family, definition] of definitions) this.#define(family, definition);
        for (const family of active) this.start(family);
        const held = this.#held ?? new Map<number, Uint8Array>();
        this.#held = undefined;
        return held;
    }

    /** Sends the first Configure-Request, unless that has happened. */
    start(family: Family): void {
        const ncp = this.#ncps.get(family);
        if (ncp?.negotiation.state === "initial") ncp.negotiation.start();
    }

    isOpen(family: Family): boolean {
        return this.#ncps.get(family)?.negotiation.opened ?? false;
    }

    /** The identifier of this family's next packet. */
    nextIdentifier(family: Family): number | undefined {
        return this.#ncps.get(family)?.identifiers.next;
    }

    /** Whether the packet was of any use. */
    onFrame(protocol: number, payload: Uint8Array): boolean {
        const family = FAMILY_OF.get(protocol);
        if (family === undefined) return false;
        if (this.#held !== undefined) {
            this.#held.set(protocol, copyBytes(payload));
            return true;
        }
        const ncp = this.#ncps.get(family);
        if (ncp === undefined) {
            this.#ports.rejectProtocol(protocol, payload);
            return true;
        }
        const packet = decodeControlPacket(payload);
        if (ncp.negotiation.state === "initial") {
            // Nobody starts IPV6CP but a client that wants it; anything else from it is a stray.
            if (packet.code !== CODE.configureRequest) return false;
            ncp.negotiation.start();
        }
        return ncp.negotiation.onPacket(packet);
    }

    onTimer(name: NcpName): void {
        this.#ncps.get(name === "ipcp" ? "ipv4" : "ipv6")?.negotiation.onTimer();
    }

    /** The peer's Protocol-Reject names `protocol`, RFC 1661 §5.7. */
    protocolRejected(protocol: number): void {
        const family = FAMILY_OF.get(protocol);
        if (family !== undefined) this.#ncps.get(family)?.negotiation.protocolRejected();
    }

    /** LCP is not open any more. */
    down(): void {
        for (const { negotiation } of this.#ncps.values()) negotiation.down();
    }

    #define(family: Family, { handlers, identifiers, open }: NcpDefinition): void {
        const name = NAME_OF[family];
        const ports = this.#ports;
        const negotiation = new Negotiation(
            handlers,
            identifiers,
            {
                send: (packet) => ports.send(PROTOCOL_OF[family], packet),
                startTimer: (milliseconds) => ports.startTimer(name, milliseconds),
                stopTimer: () => ports.stopTimer(name),
                up: () => {
                    ncp.finished = undefined;
                    ports.opened(family);
                },
                down: () => ports.lost(family),
                finished: (cause) => {
                    ncp.finished = cause;
                    this.#checkWhetherAnyIsLeft();
                },
                peerMru: ports.peerMru,
            },
            open,
        );
        const ncp: Ncp = { negotiation, identifiers, finished: undefined };
        this.#ncps.set(family, ncp);
    }

    #checkWhetherAnyIsLeft(): void {
        const started = [...this.#ncps].filter(([, { negotiation }]) => negotiation.state !== "initial");
        if (started.some(([, { finished }]) => finished === undefined)) return;
        const details = started.map(([family, { finished }]) => `${NAME_OF[family]} ${finished ?? ""}`);
        this.#ports.exhausted(details.join(", "));
    }
}
