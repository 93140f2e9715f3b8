// What a session has from its admission to its end: an address, deadlines, a copy of itself elsewhere, and a place in the records.
import type { Counters, EndReason, SessionSnapshot } from "@postern/contracts";
import { IPV6_MIN_MTU, ipVersion } from "@postern/ip";
import { encodeFrame, PROTOCOL } from "@postern/ppp";
import { encodeDataPacket } from "@postern/sstp";
import { addCounters, type DataPath, type DropReason, type PathQueue } from "@postern/tun";
import { dhcpFacts } from "./dhcp-facts.ts";
import { Ipv4Link } from "./ipv4-link.ts";
import { Ipv6Link } from "./ipv6-link.ts";
import { type Deadlines, SessionDeadlines } from "./session-deadlines.ts";
import type { HandOver, SessionFacts, SessionPorts } from "./session-ports.ts";
import type { SessionProtocols } from "./session-protocols.ts";
import { bindingHashOf, composeSnapshot } from "./session-snapshot.ts";
import type { SessionTimers } from "./session-timers.ts";
import { SnapshotKeeper } from "./snapshot-keeper.ts";

/** The session whose tenure it is. */
export interface TenureOwner {
    readonly timers: SessionTimers;
    readonly protocols: SessionProtocols;
    readonly path: Pick<DataPath, "counters" | "lease" | "release">;
    readonly egress: Pick<PathQueue, "sendData">;
    readonly expire: (reason: EndReason) => void;
}

/** What another worker's tenure of the same session had come to. */
export type Inheritance = Pick<HandOver, "startedAt" | "counters"> & { readonly deadlines: Deadlines };

export class SessionTenure {
    readonly facts: SessionFacts;
    readonly #owner: TenureOwner;
    readonly #ports: SessionPorts;
    readonly #inherited: Inheritance | undefined;
    readonly #keeper: SnapshotKeeper;
    readonly #ipv6: Ipv6Link | undefined;
    /** Made when the client says something that is for it. */
    #ipv4: Ipv4Link | undefined;
    #deadlines: SessionDeadlines | undefined;
    #startedAt: Date | undefined;

    constructor(facts: SessionFacts, owner: TenureOwner, ports: SessionPorts, inherited?: Inheritance) {
        this.facts = facts;
        this.#owner = owner;
        this.#ports = ports;
        this.#inherited = inherited;
        this.#startedAt = inherited?.startedAt;
        this.#ipv6 = this.#createIpv6Link();
        owner.protocols.hasIpv6Network = this.#ipv6 !== undefined;
        this.#keeper = new SnapshotKeeper({
            timers: owner.timers,
            take: () => this.snapshot(),
            store: (snapshot) => ports.report.storeSnapshot(facts, snapshot, this.counters),
            random: ports.random,
        });
    }

    /** From here on packets for the session's address come here, and the deadlines run. */
    begin(): void {
        const { timers, path, expire } = this.#owner;
        const { now, wallClock } = this.#ports;
        const { admission } = this.facts;
        const { address, ipv6 } = admission.addresses;
        const packets = (): number => {
            const { packetsIn, packetsOut } = path.counters;
            return packetsIn + packetsOut;
        };
        this.#deadlines = new SessionDeadlines(
            admission,
            { timers, now, wallClock, packets, expire },
            this.#inherited?.deadlines,
        );
        path.lease(address, this.#mtu, this.#ipv6 === undefined ? undefined : ipv6?.prefix);
    }

    /** A packet of the client that is not for the network; returns why it is of no use, if it is not. */
    onLinkPacket(packet: Uint8Array): DropReason | undefined {
        if (packet.length > 0 && ipVersion(packet, 0) === 4)
            return (this.#ipv4 ??= this.#createIpv4Link()).receive(packet);
        return this.#ipv6 === undefined ? "not-routed" : this.#ipv6.receive(packet);
    }

    /** Tells the client again what it was told when IPv6 opened: before that grows old. */
    advertise(): void {
        if (this.#owner.protocols.ipv6Open) this.#ipv6?.advertise();
    }

    /** `undefined` until the client can send and receive IP packets. */
    get startedAt(): Date | undefined {
        return this.#startedAt;
    }

    /** Of the whole session, on whichever worker. */
    get counters(): Counters {
        return addCounters(this.#owner.path.counters, this.#inherited?.counters);
    }

    /** `undefined` while there is nothing that could go on. */
    snapshot(): SessionSnapshot | undefined {
        if (this.#startedAt === undefined || this.#deadlines === undefined) return undefined;
        return composeSnapshot(this.#owner.protocols, this.#deadlines.deadlines, this.#correlationId);
    }

    /** Something of what a snapshot holds may have changed. */
    changed(): void {
        if (this.#ipv6 !== undefined) this.#ipv6.isUp = this.#owner.protocols.ipv6Open;
        this.#keeper.changed();
    }

    /** IP packets can pass. */
    onOpened(): void {
        this.changed();
        if (this.#startedAt !== undefined) return;
        const { report, wallClock } = this.#ports;
        this.#startedAt = new Date(wallClock());
        const { call, link } = this.#owner.protocols;
        const { version, computer } = link.identification;
        report.started(this.facts, {
            bindingHash: bindingHashOf(call.snapshot()?.certificateHash ?? ""),
            clientInformation: [version, computer].filter((text) => text !== undefined),
            correlationId: this.#correlationId,
        });
    }

    /** The session is over. */
    end(reason: EndReason): void {
        const { report, wallClock } = this.#ports;
        // Said first: giving the address back to the kernel may fail, giving it back to the registry may not be forgotten.
        report.ended(this.facts, {
            reason,
            startedAt: this.#startedAt ?? new Date(wallClock()),
            counters: this.counters,
        });
        this.leave();
    }

    /** The session does not go on here. */
    leave(): void {
        // One that never began must not take the slot's packets from the session that has it by now.
        if (this.#deadlines !== undefined) this.#owner.path.release();
    }

    /** The largest packet that goes to the client. */
    get #mtu(): number {
        return Math.min(this.#ports.settings.mtu, this.#owner.protocols.peerMru);
    }

    #createIpv4Link(): Ipv4Link {
        return new Ipv4Link({
            facts: dhcpFacts(this.facts.admission),
            mtu: this.#mtu,
            now: this.#ports.now,
            send: (packet) => this.#send(PROTOCOL.ipv4, packet),
        });
    }

    /** A client that takes no packets of the smallest size that all IPv6 links take has no IPv6 (RFC 8200 §5). */
    #createIpv6Link(): Ipv6Link | undefined {
        const { ipv6 } = this.facts.admission.addresses;
        const { protocols } = this.#owner;
        const mtu = this.#mtu;
        if (ipv6 === undefined || !this.#ports.uplink.carriesIpv6 || mtu < IPV6_MIN_MTU) return undefined;
        const { link } = protocols;
        return new Ipv6Link({
            ...ipv6,
            mtu,
            interfaceIds: () => ({ server: link.serverInterfaceId, client: link.clientInterfaceId }),
            send: (packet) => this.#send(PROTOCOL.ipv6, packet),
        });
    }

    #send(protocol: number, packet: Uint8Array): void {
        this.#owner.egress.sendData(encodeDataPacket(encodeFrame(protocol, packet)), () => undefined);
    }

    get #correlationId(): string | undefined {
        return this.facts.transport.correlationId ?? this.#owner.protocols.link.identification.correlationId;
    }
}
