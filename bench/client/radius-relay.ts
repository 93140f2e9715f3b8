// Between a broker and a RADIUS server, to see how long the server takes for each login.
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { ATTRIBUTE, CODE, decodePacket } from "@postern/radius";

export interface UdpEndpoint {
    readonly address: string;
    readonly port: number;
}

interface Request {
    readonly datagram: Buffer;
    readonly user: string;
    readonly begun: number;
    isAnswered: boolean;
}

export class RadiusRelay {
    readonly #listener: Socket;
    readonly #server: UdpEndpoint;
    /** A socket to the server for each of the broker's: replies find back. */
    readonly #upstream = new Map<number, Socket>();
    readonly #requests = new Map<string, Request>();
    readonly #times = new Map<string, number>();

    private constructor(listener: Socket, server: UdpEndpoint) {
        this.#listener = listener;
        this.#server = server;
        listener.on("message", (datagram, { address, port }) => this.#onRequest(datagram, { address, port }));
    }

    static async start(listen: UdpEndpoint, server: UdpEndpoint): Promise<RadiusRelay> {
        const listener = createSocket("udp4");
        listener.bind(listen.port, listen.address);
        await once(listener, "listening");
        return new RadiusRelay(listener, server);
    }

    /** Milliseconds from each user's first request to the reply to it, since the last call. */
    takeTimes(): ReadonlyMap<string, number> {
        const times = new Map(this.#times);
        this.#times.clear();
        return times;
    }

    #onRequest(datagram: Buffer, from: UdpEndpoint): void {
        const begun = performance.now();
        this.#upstreamFor(from).send(datagram, this.#server.port, this.#server.address);
        const { code, identifier, attributes } = decodePacket(datagram);
        if (code !== CODE.accessRequest) return;
        const name = attributes.find(({ type }) => type === ATTRIBUTE.userName)?.value;
        const key = `${from.port} ${identifier}`;
        const user = Buffer.from(name ?? []).toString();
        // One that is sent again is the same, byte by byte: the server has had it since the first time.
        if (this.#requests.get(key)?.datagram.equals(datagram) !== true)
            this.#requests.set(key, { datagram, user, begun, isAnswered: false });
    }

    #upstreamFor({ address, port }: UdpEndpoint): Socket {
        const known = this.#upstream.get(port);
        if (known !== undefined) return known;
        const socket = createSocket("udp4").on("message", (reply) => {
            this.#listener.send(reply, port, address);
            const request = this.#requests.get(`${port} ${reply[1]}`);
            if (request === undefined || request.isAnswered) return;
            request.isAnswered = true;
            this.#times.set(request.user, performance.now() - request.begun);
        });
        this.#upstream.set(port, socket);
        return socket;
    }
}
