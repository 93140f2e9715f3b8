// IP Control Protocol, RFC 1332 and RFC 1877, both ends.  Options without a handler are rejected: the old IP-Addresses,
// Van Jacobson compression.
import { copyBytes, equalBytes } from "@postern/bytes";
import { IPV4_SIZE, ipv4FromText, ipv4ToText, isZero } from "./address.ts";
import { IPCP_OPTION } from "./constants.ts";
import type { AgreedIpv4, Ipv4Configuration } from "./network-configuration.ts";
import { ACK, nak, type OptionHandler, REJECT, type Verdict } from "./option-handler.ts";
import { WishedOption } from "./wished-option.ts";

const ANY = new Uint8Array(IPV4_SIZE);
/** IP-Compression-Protocol 002d, Van Jacobson, 16 slots, slot identifier compressible: RFC 1332 §4. */
const VAN_JACOBSON = Uint8Array.of(0x00, 0x2d, 0x0f, 0x01);

/** The server's end of IP-Address: each end has its one address, and there is nothing to negotiate about. */
class AssignedAddress implements OptionHandler {
    readonly type = IPCP_OPTION.address;
    readonly #server: Uint8Array;
    readonly #client: Uint8Array;

    constructor(server: string, client: string) {
        this.#server = ipv4FromText(server);
        this.#client = ipv4FromText(client);
    }

    /** Always sent: RouterOS invents an address for a server that does not name one. */
    request(): Uint8Array {
        return this.#server;
    }

    judge(value: Uint8Array): Verdict {
        return equalBytes(value, this.#client) ? ACK : nak(this.#client);
    }

    /** A client that names no address would go on with one of its own. */
    demand(): Uint8Array {
        return this.#client;
    }
}

/** The server's end of one of the options 129 to 132. */
class OfferedServer implements OptionHandler {
    readonly type: number;
    readonly #address: Uint8Array | undefined;

    constructor(type: number, address: string | undefined) {
        this.type = type;
        this.#address = address === undefined ? undefined : ipv4FromText(address);
    }

    judge(value: Uint8Array): Verdict {
        if (this.#address === undefined) return REJECT;
        return equalBytes(value, this.#address) ? ACK : nak(this.#address);
    }
}

export const serverIpcpHandlers = (configuration: Ipv4Configuration): readonly OptionHandler[] => [
    new AssignedAddress(configuration.serverAddress, configuration.clientAddress),
    new OfferedServer(IPCP_OPTION.primaryDns, configuration.dns[0]),
    new OfferedServer(IPCP_OPTION.primaryNbns, configuration.nbns[0]),
    new OfferedServer(IPCP_OPTION.secondaryDns, configuration.dns[1]),
    new OfferedServer(IPCP_OPTION.secondaryNbns, configuration.nbns[1]),
];

/** The client's end of IP-Address: asks with 0.0.0.0 for whatever the server gives. */
class RequestedAddress implements OptionHandler {
    readonly type = IPCP_OPTION.address;
    readonly #failed: (detail: string) => void;
    #own: Uint8Array;
    #server: Uint8Array | undefined;

    constructor(wanted: string | undefined, failed: (detail: string) => void) {
        this.#own = wanted === undefined ? ANY : ipv4FromText(wanted);
        this.#failed = failed;
    }

    get own(): Uint8Array {
        return this.#own;
    }

    get server(): Uint8Array | undefined {
        return this.#server;
    }

    request(): Uint8Array {
        return this.#own;
    }

    naked(value: Uint8Array): void {
        if (value.length === IPV4_SIZE) this.#own = copyBytes(value);
    }

    rejected(): void {
        this.#failed("the server rejects IP-Address");
    }

    judge(value: Uint8Array): Verdict {
        return value.length === IPV4_SIZE && !isZero(value) ? ACK : REJECT;
    }

    accepted(value: Uint8Array | undefined): void {
        this.#server = value;
    }
}

export interface ClientIpcpWishes {
    /** A fixed address to ask for; absent = any. */
    readonly address?: string;
    /** Which of the options 129 to 132 to ask for. */
    readonly servers: readonly number[];
    readonly vanJacobson: boolean;
}

/** The client's end: handlers, and what they agreed on once IPCP is open. */
export class ClientIpcp {
    readonly handlers: readonly OptionHandler[];
    readonly #address: RequestedAddress;
    readonly #servers: readonly WishedOption[];

    constructor(wishes: ClientIpcpWishes, failed: (detail: string) => void) {
        this.#address = new RequestedAddress(wishes.address, failed);
        this.#servers = wishes.servers.map((type) => new WishedOption(type, ANY));
        const compression = wishes.vanJacobson ? [new WishedOption(IPCP_OPTION.compression, VAN_JACOBSON)] : [];
        this.handlers = [...compression, this.#address, ...this.#servers];
    }

    agreed(): AgreedIpv4 {
        const { own, server } = this.#address;
        return {
            address: ipv4ToText(own),
            serverAddress: server === undefined ? undefined : ipv4ToText(server),
            dns: this.#given([IPCP_OPTION.primaryDns, IPCP_OPTION.secondaryDns]),
            nbns: this.#given([IPCP_OPTION.primaryNbns, IPCP_OPTION.secondaryNbns]),
        };
    }

    #given(types: readonly number[]): readonly string[] {
        return this.#servers.flatMap(({ type, value }) =>
            types.includes(type) && value?.length === IPV4_SIZE && !isZero(value) ? [ipv4ToText(value)] : [],
        );
    }
}
