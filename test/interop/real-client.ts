// A real SSTP client: Debian's sstpc under pppd, in a guest of its own, driven from a test.
import { performance } from "node:perf_hooks";
import { bootGuest, type CommandResult, type Guest, type GuestCommand, type GuestOptions } from "./user-mode-linux.ts";
import { dialFiles, dialScript, type DialOptions } from "./dial-script.ts";
import { INSIDE_NETWORK, type Topology } from "./topology.ts";

/** pppd(8), EXIT STATUS: those that a dial-up client can meet. */
const EXIT_REASONS: Readonly<Record<number, string>> = {
    1: "fatal error",
    2: "option error",
    5: "terminated by a signal",
    8: "connect script failed",
    10: "PPP negotiation failed",
    11: "the peer did not authenticate itself",
    15: "the peer did not answer echo requests",
    16: "hangup",
    19: "authentication to the peer failed",
};

export type DialResult =
    | { readonly kind: "connected"; readonly connection: Connection }
    | {
          readonly kind: "failed";
          /** pppd's exit status, or `undefined` when the limit passed and pppd was ended. */
          readonly status: number | undefined;
          readonly reason: string;
          /** Words of the peer, such as the text of a PAP Nak or an MS-CHAP failure. */
          readonly log: string;
          readonly milliseconds: number;
      };

/** What pppd was given, as it reports it itself. */
export interface TunnelAddresses {
    readonly interface: string;
    readonly address: string;
    readonly peerAddress: string;
    readonly mtu: number;
    readonly dns: readonly string[];
}

/** A client's machine.  Dial as often as the test needs; one connection at a time. */
export class RealClient implements AsyncDisposable {
    readonly guest: Guest;
    #dials = 0;

    private constructor(guest: Guest) {
        this.guest = guest;
    }

    static async boot(topology: Topology, options?: GuestOptions): Promise<RealClient> {
        return new RealClient(await bootGuest(topology, options));
    }

    /** Dials and waits for an IPv4 address or for pppd's end. */
    async dial(options: DialOptions): Promise<DialResult> {
        this.#dials += 1;
        const { limit = 30_000, routes = [INSIDE_NETWORK] } = options;
        const id = `dial${this.#dials}`;
        const started = performance.now();
        for (const [name, content] of dialFiles(id, options)) await this.guest.writeFile(name, content);
        const pppd = await this.guest.start(dialScript(id, options), 24 * 3_600_000);
        const ended = pppd.result.then((result) => ({ kind: "ended", result }) as const);
        const opened = this.guest
            .untilFile(`ipv4.${id}`, limit, "an address on the PPP interface")
            .then((facts) => ({ kind: "opened", facts }) as const)
            .catch(() => ({ kind: "late" }) as const);
        const first = await Promise.race([opened, ended]);
        const milliseconds = performance.now() - started;
        if (first.kind === "ended") return failure(first.result.status, first.result.stdout, milliseconds);
        if (first.kind === "late") {
            await pppd.signal("TERM");
            const log = readable(await pppd.output());
            return { kind: "failed", status: undefined, reason: `no address within ${limit} ms`, log, milliseconds };
        }
        const addresses = parseAddresses(first.facts);
        for (const route of routes) await this.guest.expect(`ip route replace ${route} dev ${addresses.interface}`);
        return { kind: "connected", connection: new Connection(this.guest, id, pppd, addresses, milliseconds) };
    }

    /** Like `dial`, for tests in which a failure to connect is a failure of the test: it shows the client's log. */
    async connect(options: DialOptions): Promise<Connection> {
        const result = await this.dial(options);
        if (result.kind === "connected") return result.connection;
        throw new Error(`the client did not connect: ${result.reason}\n${result.log}`);
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.guest[Symbol.asyncDispose]();
    }
}

/** A tunnel that is up, or was. */
export class Connection {
    readonly addresses: TunnelAddresses;
    /** From the start of pppd to the address. */
    readonly milliseconds: number;
    readonly #guest: Guest;
    readonly #id: string;
    readonly #pppd: GuestCommand;

    constructor(guest: Guest, id: string, pppd: GuestCommand, addresses: TunnelAddresses, milliseconds: number) {
        this.#guest = guest;
        this.#id = id;
        this.#pppd = pppd;
        this.addresses = addresses;
        this.milliseconds = milliseconds;
    }

    /** The method that the client agreed to in LCP, as pppd's log names it: `pap`, `chap MS-v2`, `eap`. */
    async method(): Promise<string | undefined> {
        return /sent \[LCP ConfAck [^\]]*<auth ([^>]+)>/u.exec(await this.log())?.[1];
    }

    /** Link-local addresses, once IPV6CP is open. */
    async ipv6(within = 5_000): Promise<{ readonly address: string; readonly peerAddress: string }> {
        const facts = parseFacts(await this.#guest.untilFile(`ipv6.${this.#id}`, within, "IPV6CP to open"));
        return { address: facts["address"] ?? "", peerAddress: facts["peerAddress"] ?? "" };
    }

    /** The address that the kernel has formed itself in the network of a router advertisement, once there is one. */
    async globalIpv6(): Promise<string> {
        const look = `ip -6 -o address show dev ${this.addresses.interface} scope global`;
        const script = `for turn in $(seq 100); do ${look} | grep inet6 && exit; sleep 0.1; done; exit 1`;
        const address = /inet6 (\S+)\/64/u.exec(await this.#guest.expect(script))?.[1];
        if (address === undefined) throw new Error("the address is not in a /64");
        return address;
    }

    /** What pppd and sstpc have said so far, every PPP control packet included. */
    async log(): Promise<string> {
        return readable(await this.#pppd.output());
    }

    /** Resolves when pppd ends by itself: because the server closed the call, or the path is gone. */
    async ended(): Promise<{ readonly status: number; readonly reason: string; readonly log: string }> {
        const { status, stdout } = await this.#pppd.result;
        return { status, reason: reasonOf(status), log: readable(stdout) };
    }

    /** Hangs up as a user does; resolves when pppd is gone. */
    async hangUp(): Promise<CommandResult> {
        await this.#pppd.signal("TERM");
        return this.#pppd.result;
    }

    /** Kills pppd and sstpc: no Terminate-Request, no disconnect message, as when the machine is switched off. */
    async vanish(): Promise<void> {
        await this.#guest.run("ip link set vec0 down; pkill -KILL sstpc; pkill -KILL pppd; ip link set vec0 up");
        await this.#pppd.result;
    }
}

function failure(status: number, log: string, milliseconds: number): DialResult {
    return { kind: "failed", status, reason: reasonOf(status), log: readable(log), milliseconds };
}

/** sstpc ends each of its lines with a NUL. */
const readable = (log: string): string => log.replaceAll("\0", "");

const reasonOf = (status: number): string => EXIT_REASONS[status] ?? `pppd ended with status ${status}`;

function parseAddresses(text: string): TunnelAddresses {
    const facts = parseFacts(text);
    const { interface: name = "", address = "", peerAddress = "", mtu, dns1 = "", dns2 = "" } = facts;
    const dns = [dns1, dns2].filter((server) => server !== "");
    return { interface: name, address, peerAddress, mtu: Number(mtu), dns };
}

const parseFacts = (text: string): Readonly<Record<string, string>> =>
    Object.fromEntries([...text.matchAll(/^(\w+)=(.*)$/gmu)].map(([, key, value]) => [key, value]));
