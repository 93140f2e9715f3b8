// Echo requests that wait for their replies.
import { parseIpv4, parseIpv6 } from "@postern/ip";
import { DependencyError } from "@postern/errors";
import { decodeEchoReply, encodeEchoRequest } from "./icmp-echo.ts";
import { decodeIpv6EchoReply, encodeIpv6EchoRequest } from "./icmpv6-echo.ts";

export interface PingOptions {
    /** Milliseconds; default 2000. */
    readonly timeout?: number;
    /** Octets of data; default 56. */
    readonly size?: number;
    /** Source address; default the address of the destination's family, for a link-local destination the link-local one.  Any other is one that a server has to drop. */
    readonly source?: string;
}

interface Waiting {
    readonly sent: number;
    readonly timer: NodeJS.Timeout;
    readonly resolve: (milliseconds: number) => void;
    readonly reject: (error: Error) => void;
}

export class Pinger {
    readonly #identifier: number;
    readonly #waiting = new Map<number, Waiting>();
    #sequence = 0;

    /** `identifier`: 16 bits that tell this pinger's packets from others'. */
    constructor(identifier: number) {
        this.#identifier = identifier;
    }

    /** Sends one request; resolves with the milliseconds until its reply, rejects after the timeout. */
    ping(
        destination: string,
        source: string,
        { timeout = 2000, size = 56 }: PingOptions,
        send: (packet: Uint8Array) => void,
    ): Promise<number> {
        this.#sequence = (this.#sequence + 1) & 0xffff;
        const sequence = this.#sequence;
        const packet = this.#request(destination, source, sequence, size);
        return new Promise((resolve, reject) => {
            const timer = setTimeout(() => {
                this.#waiting.delete(sequence);
                reject(new DependencyError("PING_UNANSWERED", `${destination} in ${timeout} ms`));
            }, timeout);
            this.#waiting.set(sequence, { sent: performance.now(), timer, resolve, reject });
            send(packet);
        });
    }

    /** Whether `packet` was the reply to a request of this pinger. */
    receive(packet: Uint8Array): boolean {
        if (this.#waiting.size === 0) return false;
        const reply = decodeEchoReply(packet) ?? decodeIpv6EchoReply(packet);
        if (reply?.identifier !== this.#identifier) return false;
        const waiting = this.#waiting.get(reply.sequence);
        if (waiting === undefined) return false;
        this.#waiting.delete(reply.sequence);
        clearTimeout(waiting.timer);
        waiting.resolve(performance.now() - waiting.sent);
        return true;
    }

    #request(destination: string, source: string, sequence: number, dataSize: number): Uint8Array {
        const fields = { identifier: this.#identifier, sequence, dataSize };
        return destination.includes(":")
            ? encodeIpv6EchoRequest({ ...fields, source: parseIpv6(source), destination: parseIpv6(destination) })
            : encodeEchoRequest({ ...fields, source: parseIpv4(source), destination: parseIpv4(destination) });
    }

    /** No reply will come any more. */
    close(): void {
        for (const { timer, reject } of this.#waiting.values()) {
            clearTimeout(timer);
            reject(new DependencyError("PING_UNANSWERED", "the connection is closed"));
        }
        this.#waiting.clear();
    }
}
