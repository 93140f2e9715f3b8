// A server of PEAP with EAP-MSCHAPv2 inside, for one login: the server's end of what peap-peer.ts says.
import { once } from "node:events";
import { Duplex } from "node:stream";
import { createSecureContext, TLSSocket } from "node:tls";
import { concatBytes, encodeLatin1 } from "@postern/bytes";
import {
    decodeEapPacket,
    decodeEapTls,
    decodeMschapv2Answer,
    EAP_CODE,
    EAP_TYPE,
    encodeEapPacket,
    encodeEapTls,
    encodeMschapv2Request,
    type Mschapv2Answer,
    type Mschapv2Request,
} from "@postern/eap";
import { type EapPeer, ntPasswordHash, verifyMschapv2 } from "@postern/ppp";
import { pppDigests } from "../../src/node-digests.ts";
import { exportKey } from "../../src/peap/tls-tunnel.ts";

const RESULT_TYPE = 33;
const SUCCESS_TLV = Uint8Array.of(0x80, 3, 0, 2, 0, 1);
const CHALLENGE = new Uint8Array(16).fill(0x5a);
const CHALLENGE_ID = 7;

export interface PeapServerOptions {
    readonly key: string;
    readonly cert: string;
    /** Of the only user. */
    readonly password: string;
    /** Whether the Identity-Request inside has its header, as FreeRADIUS' has. */
    readonly wholeIdentity?: boolean;
    /** Bytes of TLS in one packet. */
    readonly fragmentSize?: number;
    /** Says that the login inside has succeeded, without having made it. */
    readonly skipsLogin?: boolean;
}

export interface PeapLogin {
    readonly outer: string;
    readonly inner: string;
    /** The client's last word inside: its result. */
    readonly result: Uint8Array;
    /** What the server has of the keys. */
    readonly msk: Uint8Array;
}

export class PeapServer {
    readonly #peer: EapPeer;
    readonly #options: PeapServerOptions;
    readonly #tls: TLSSocket;
    readonly #wire: Duplex;
    #flights: Uint8Array[] = [];
    #identifier = 0;

    constructor(peer: EapPeer, options: PeapServerOptions) {
        this.#peer = peer;
        this.#options = options;
        this.#wire = new Duplex({
            read: () => undefined,
            write: (bytes: Uint8Array, _encoding, done) => {
                this.#flights.push(bytes);
                this.#wire.emit("flight");
                done();
            },
        });
        const { key, cert } = options;
        const secureContext = createSecureContext({ key, cert, maxVersion: "TLSv1.2" });
        this.#tls = new TLSSocket(this.#wire, { isServer: true, secureContext });
        this.#tls.on("error", () => undefined);
    }

    async serve(): Promise<PeapLogin> {
        const outer = await this.#request(EAP_TYPE.identity, new Uint8Array(0));
        const secured = once(this.#tls, "secure");
        const hello = await this.#request(EAP_TYPE.peap, Uint8Array.of(0x20));
        const proof = await this.#exchange(decodeEapTls(hello).fragment);
        await this.#exchange(proof);
        await secured;
        const { wholeIdentity = false, skipsLogin = false } = this.#options;
        const identityRequest = { code: EAP_CODE.request, identifier: 1, type: 1, data: new Uint8Array(0) } as const;
        const identity = await this.#inside(wholeIdentity ? encodeEapPacket(identityRequest) : Uint8Array.of(1));
        if (!skipsLogin) await this.#login();
        const success = { code: EAP_CODE.request, identifier: 9, type: RESULT_TYPE, data: SUCCESS_TLV } as const;
        const result = await this.#inside(encodeEapPacket(success));
        const msk = exportKey(this.#tls, 64, "client EAP encryption");
        return { outer: textOf(outer), inner: textOf(identity.subarray(1)), result, msk };
    }

    async #login(): Promise<void> {
        const response = await this.#ask({
            op: "challenge",
            id: CHALLENGE_ID,
            value: CHALLENGE,
            name: encodeLatin1("radius"),
        });
        if (response.op !== "response") throw new Error(`a ${response.op} to the challenge`);
        const verdict = verifyMschapv2(pppDigests, ntPasswordHash(this.#options.password), {
            user: textOf(response.name),
            challenge: CHALLENGE,
            response: response.value,
        });
        if (verdict === undefined) {
            await this.#ask({ op: "failure", id: CHALLENGE_ID, message: "E=691 R=0 V=3 M=wrong" });
            throw new Error("wrong password");
        }
        await this.#ask({ op: "success", id: CHALLENGE_ID, message: verdict.message });
    }

    async #ask(request: Mschapv2Request): Promise<Mschapv2Answer> {
        const answer = await this.#inside(
            concatBytes(Uint8Array.of(EAP_TYPE.mschapv2), encodeMschapv2Request(request)),
        );
        return decodeMschapv2Answer(answer.subarray(1));
    }

    /** Says something inside of TLS; resolves with what the client says inside. */
    async #inside(bytes: Uint8Array): Promise<Uint8Array> {
        const said = once(this.#tls, "data");
        const flown = this.#nextFlight();
        this.#tls.write(bytes);
        this.#wire.push(await this.#send(await flown));
        const [answer] = (await said) as [Buffer]; // what "data" of a socket without encoding carries
        return answer;
    }

    /** Feeds a flight of the client, sends what TLS answers, resolves with the client's next. */
    async #exchange(records: Uint8Array): Promise<Uint8Array> {
        const flown = this.#nextFlight();
        this.#wire.push(records);
        return this.#send(await flown);
    }

    async #nextFlight(): Promise<Uint8Array> {
        await once(this.#wire, "flight");
        // TLS writes the records of a flight one after the other within a step.
        await new Promise(setImmediate);
        return concatBytes(...this.#flights.splice(0));
    }

    /** In fragments, each but the last acknowledged. */
    async #send(records: Uint8Array): Promise<Uint8Array> {
        const { fragmentSize = 300 } = this.#options;
        for (let at = 0; ; at += fragmentSize) {
            const fragment = records.subarray(at, at + fragmentSize);
            const more = at + fragmentSize < records.length;
            const first = at === 0 && more ? { size: records.length } : {};
            const data = encodeEapTls({ start: false, more, version: 0, fragment, ...first });
            const answer = decodeEapTls(await this.#request(EAP_TYPE.peap, data));
            if (!more) return answer.fragment;
            if (answer.fragment.length > 0) throw new Error("a fragment is not acknowledged");
        }
    }

    async #request(type: number, data: Uint8Array): Promise<Uint8Array> {
        this.#identifier += 1;
        const request = { code: EAP_CODE.request, identifier: this.#identifier, type, data };
        const response = await this.#peer.respond(encodeEapPacket(request));
        if (response === undefined) throw new Error("no response");
        const packet = decodeEapPacket(response);
        if (packet.code !== EAP_CODE.response || packet.identifier !== this.#identifier || packet.type !== type) {
            throw new Error(`EAP code ${packet.code} is no response to type ${type}`);
        }
        return packet.data;
    }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
