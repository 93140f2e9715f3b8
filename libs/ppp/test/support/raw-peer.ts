// A server link and a peer that says exactly what a test tells it to, byte by byte.
import { fromHex, toHex } from "@postern/bytes";
import {
    type AuthenticationAttempt,
    type Closure,
    decodeFrame,
    type LinkSnapshot,
    PppLink,
    type ServerLinkOptions,
    type ServerLinkPorts,
} from "@postern/ppp";
import { deliver, FakeTime } from "./world.ts";

/** The protocols' names as they stand in what `take` returns. */
const NAMES: ReadonlyMap<number, string> = new Map([
    [0xc021, "lcp"],
    [0xc023, "pap"],
    [0xc223, "chap"],
    [0xc227, "eap"],
    [0x8021, "ipcp"],
    [0x8057, "ipv6cp"],
]);

/** A control packet in hexadecimal; the length is put in. */
export function packet(code: number, identifier: number, data = ""): string {
    const size = 4 + fromHex(data).length;
    return toHex(Uint8Array.of(code, identifier, size >>> 8, size)) + data.replaceAll(/\s/g, "");
}

export class RawPeer {
    readonly time = new FakeTime();
    readonly link: PppLink;
    readonly attempts: AuthenticationAttempt[] = [];
    readonly log: string[] = [];
    /** Called with each entry of the log, from inside the link's report. */
    reaction: (entry: string) => void = () => {};
    #closure: Closure | undefined;
    #sent: string[] = [];
    #drawn = 0;

    constructor(options: Partial<ServerLinkOptions> = {}, snapshot?: LinkSnapshot) {
        const complete: ServerLinkOptions = { authentication: ["mschapv2", "pap"], serverName: "srv", ...options };
        this.link =
            snapshot === undefined
                ? new PppLink(complete, this.#ports())
                : PppLink.restore(complete, this.#ports(), snapshot);
        if (snapshot === undefined) this.link.start();
    }

    /** Hands the link one PPP frame, header included. */
    frame(hex: string): this {
        const { protocol, payload } = decodeFrame(fromHex(hex));
        deliver(this.link, protocol, payload);
        return this;
    }

    say(name: string, hex: string): this {
        const protocol = [...NAMES].find(([, candidate]) => candidate === name)?.[0] ?? Number.parseInt(name, 16);
        deliver(this.link, protocol, fromHex(hex));
        return this;
    }

    /** How the link ended, if it has. */
    ended(): Closure | undefined {
        return this.#closure;
    }

    /** What the link has sent since the last call: protocol, then the packet in hexadecimal. */
    take(): readonly string[] {
        const taken = this.#sent;
        this.#sent = [];
        return taken;
    }

    /** Lets time pass. */
    run(milliseconds: number): this {
        const limit = this.time.now + milliseconds;
        while (this.time.advance(limit));
        this.time.now = limit;
        return this;
    }

    /** Opens LCP as an unremarkable client does; what was sent is forgotten. */
    openLcp(): this {
        const request = this.take().find((sent) => sent.startsWith("lcp 01")) ?? "";
        this.say("lcp", request.slice("lcp ".length).replace(/^01/, "02"));
        this.say("lcp", packet(1, 0x70, "0104 05dc 0506 7b7b7b7b"));
        this.take();
        return this;
    }

    /** Opens LCP with PAP and says who we are. */
    authenticate(): this {
        this.openLcp();
        this.say("pap", packet(1, 0x30, "0455736572 0470617373"));
        this.link.authenticated({ outcome: "success", message: "" });
        this.take();
        return this;
    }

    #note(entry: string): void {
        this.log.push(entry);
        this.reaction(entry);
    }

    #ports(): ServerLinkPorts {
        return {
            send: (frame) => {
                const { protocol, payload } = decodeFrame(frame);
                this.#sent.push(`${NAMES.get(protocol) ?? protocol.toString(16)} ${toHex(payload)}`);
            },
            startTimer: (name, milliseconds) => {
                this.time.start(name, milliseconds, () => this.link.onTimer(name));
            },
            stopTimer: (name) => this.time.stop(name),
            // 01 02 03 ...: a test can say what is drawn next.
            random: (size) => Uint8Array.from({ length: size }, () => (this.#drawn += 1)),
            opened: (family) => this.#note(`opened ${family}`),
            lost: (family) => this.#note(`lost ${family}`),
            closed: (closure) => {
                this.#note(`closed ${closure.reason}`);
                this.#closure = closure;
            },
            authenticate: (attempt) => this.attempts.push(attempt),
        };
    }
}
