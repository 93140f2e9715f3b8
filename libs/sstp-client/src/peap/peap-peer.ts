// PEAPv0 with EAP-MSCHAPv2 inside, as Windows speaks it ([MS-PEAP] 3.1): Identity, TLS in packets of type 25, the login inside of
// TLS, and the server's result.  Without a cryptobinding TLV, so that both ends have the MSK of TLS: draft-kamath-pppext-peapv0-00 §2.
import { concatBytes, copyBytes, encodeUtf8 } from "@postern/bytes";
import {
    decodeEapPacket,
    decodeEapTls,
    EAP_CODE,
    EAP_TYPE,
    EapError,
    encodeEapPacket,
    encodeEapTls,
    encodeNak,
} from "@postern/eap";
import { type Credentials, type EapPeer, HLAK_SIZE } from "@postern/ppp";
import { EapMschapv2Peer } from "../eap-mschapv2-peer.ts";
import { compressInner, decodeInner, encodeResult, isSuccess, RESULT_TYPE } from "./inner-packet.ts";
import { TlsTunnel } from "./tls-tunnel.ts";

const MSK_SIZE = 64;
const MSK_LABEL = "client EAP encryption";
/** A server's certificates are the largest message. */
const MAX_MESSAGE = 65_536;

export interface PeapOptions {
    /** PEM of the authorities that the server's certificate may come from. */
    readonly ca: string;
    /** A name in the server's certificate. */
    readonly serverName: string;
}

export class PeapPeer implements EapPeer {
    readonly #options: PeapOptions;
    readonly #identity: Uint8Array;
    readonly #inner: EapMschapv2Peer;
    #tunnel: TlsTunnel | undefined;
    #fragments = new Uint8Array(0);
    #refusal: string | undefined;
    #hlak: Uint8Array | undefined;

    /** `identity`: what is claimed outside of TLS, where everybody on the way can read it. */
    constructor(credentials: Credentials, identity: string, options: PeapOptions) {
        this.#options = options;
        this.#identity = encodeUtf8(identity);
        this.#inner = new EapMschapv2Peer(credentials, credentials.user);
    }

    get hlak(): Uint8Array | undefined {
        return this.#hlak;
    }

    get refusal(): string | undefined {
        return this.#refusal ?? this.#inner.refusal;
    }

    async respond(request: Uint8Array): Promise<Uint8Array | undefined> {
        try {
            const packet = decodeEapPacket(request);
            if (packet.code !== EAP_CODE.request) return undefined;
            const { identifier } = packet;
            const answer = await this.#answerTo(identifier, packet.type, packet.data);
            return answer && encodeEapPacket({ code: EAP_CODE.response, identifier, ...answer });
        } catch (error) {
            if (error instanceof EapError) return undefined;
            throw error;
        }
    }

    async #answerTo(
        identifier: number,
        type: number,
        data: Uint8Array,
    ): Promise<{ type: number; data: Uint8Array } | undefined> {
        if (type === EAP_TYPE.identity) return { type, data: this.#identity };
        if (type === EAP_TYPE.notification) return { type, data: new Uint8Array(0) };
        if (type !== EAP_TYPE.peap) return { type: EAP_TYPE.nak, data: encodeNak([EAP_TYPE.peap]) };
        const records = await this.#onRecords(identifier, data);
        // A client without a certificate has nothing to say that does not fit into one packet.
        return records && { type, data: encodeEapTls({ start: false, more: false, version: 0, fragment: records }) };
    }

    /** The records that answer; none, but in a packet, as an acknowledgement. */
    async #onRecords(identifier: number, data: Uint8Array): Promise<Uint8Array | undefined> {
        const { start, more, fragment } = decodeEapTls(data);
        if (start) return this.#begin();
        const tunnel = this.#tunnel;
        if (tunnel === undefined) return undefined;
        if (this.#fragments.length + fragment.length > MAX_MESSAGE) {
            throw new EapError("EAP_BAD_METHOD", `more than ${MAX_MESSAGE} bytes of TLS in one message`);
        }
        this.#fragments = copyBytes(concatBytes(this.#fragments, fragment));
        if (more) return new Uint8Array(0);
        if (this.#fragments.length === 0) return undefined;
        tunnel.feed(this.#fragments);
        this.#fragments = new Uint8Array(0);
        return this.#follow(tunnel, identifier);
    }

    async #begin(): Promise<Uint8Array | undefined> {
        const { ca, serverName: servername } = this.#options;
        this.#tunnel?.destroy();
        // RFC 9427 has other keys for TLS 1.3, which few servers have in PEAP.
        this.#tunnel = new TlsTunnel({ ca, servername, minVersion: "TLSv1.2", maxVersion: "TLSv1.2" });
        return this.#follow(this.#tunnel, 0);
    }

    async #follow(tunnel: TlsTunnel, identifier: number): Promise<Uint8Array | undefined> {
        const event = await tunnel.next();
        switch (event.kind) {
            case "flight":
                return event.bytes;
            case "open":
                return new Uint8Array(0);
            case "failed":
                this.#refusal = `TLS: ${event.detail}`;
                return undefined;
            case "data": {
                const answer = this.#inside(tunnel, identifier, event.bytes);
                if (answer === undefined) return undefined;
                tunnel.write(answer);
                return this.#follow(tunnel, identifier);
            }
        }
    }

    #inside(tunnel: TlsTunnel, outer: number, bytes: Uint8Array): Uint8Array | undefined {
        const request = decodeInner(bytes, outer);
        if (request.type !== RESULT_TYPE) {
            const response = this.#inner.respond(encodeEapPacket(request));
            return response && compressInner(response);
        }
        const agreed = isSuccess(request.data) && this.#inner.hlak !== undefined;
        if (agreed) this.#hlak = tunnel.exportKey(MSK_SIZE, MSK_LABEL).subarray(0, HLAK_SIZE);
        return encodeResult(request.identifier, agreed);
    }
}
