// LCP options that both ends negotiate alike, RFC 1661 §6.  Options without a handler are rejected: async map, quality,
// callback, multilink and the rest mean nothing inside SSTP.
import { equalBytes, readU16, readU32, writeU16, writeU32 } from "@postern/bytes";
import { DEFAULT_MRU, LCP_OPTION, MIN_MRU } from "./constants.ts";
import { ACK, nak, type OptionHandler, type Verdict } from "./option-handler.ts";

const MRU_SIZE = 2;
const MAGIC_SIZE = 4;

/** RFC 1661 §6.1. */
export class MruOption implements OptionHandler {
    readonly type = LCP_OPTION.mru;
    #ours: number | undefined;
    readonly #smallest: number;
    #peer: number;

    /** `ours`: what we ask for, `undefined` for the default; a peer that asks for less than `smallest` gets a Nak. */
    constructor(ours: number | undefined, smallest = MIN_MRU, peer = DEFAULT_MRU) {
        this.#ours = ours;
        this.#smallest = smallest;
        this.#peer = peer;
    }

    /** The most that the peer may send. */
    get ours(): number {
        return this.#ours ?? DEFAULT_MRU;
    }

    /** The most that the peer takes. */
    get peer(): number {
        return this.#peer;
    }

    request(): Uint8Array | undefined {
        if (this.#ours === undefined) return undefined;
        return mruValue(this.#ours);
    }

    /** Whatever the peer suggests: it takes 1500, which is what leaving the option out means. */
    naked(): void {
        this.#ours = undefined;
    }

    rejected(): void {
        this.#ours = undefined;
    }

    /** Larger than we will ever use is fine: Windows asks for 4091 and it costs nothing. */
    judge(value: Uint8Array): Verdict {
        if (value.length !== MRU_SIZE) return nak(mruValue(DEFAULT_MRU));
        return readU16(value, 0) < this.#smallest ? nak(mruValue(this.#smallest)) : ACK;
    }

    accepted(value: Uint8Array | undefined): void {
        this.#peer = value === undefined ? DEFAULT_MRU : readU16(value, 0);
    }
}

function mruValue(mru: number): Uint8Array {
    const value = new Uint8Array(MRU_SIZE);
    writeU16(value, 0, mru);
    return value;
}

/** RFC 1661 §6.4.  Without agreement the number in our packets is zero. */
export class MagicOption implements OptionHandler {
    readonly type = LCP_OPTION.magic;
    readonly #random: (size: number) => Uint8Array;
    #ours: Uint8Array | undefined;
    #peer: Uint8Array;

    constructor(random: (size: number) => Uint8Array, known?: { readonly ours: number; readonly peer: number }) {
        this.#random = random;
        const number = known?.ours;
        this.#ours = number === undefined ? this.#draw() : number === 0 ? undefined : magicValue(number);
        this.#peer = magicValue(known?.peer ?? 0);
    }

    get ours(): number {
        return this.#ours === undefined ? 0 : readU32(this.#ours, 0);
    }

    get peer(): number {
        return readU32(this.#peer, 0);
    }

    request(): Uint8Array | undefined {
        return this.#ours;
    }

    /** The peer drew our number: draw another. */
    naked(): void {
        if (this.#ours !== undefined) this.#ours = this.#draw();
    }

    rejected(): void {
        this.#ours = undefined;
    }

    judge(value: Uint8Array): Verdict {
        const usable = value.length === MAGIC_SIZE && readU32(value, 0) !== 0;
        const looped = this.#ours !== undefined && equalBytes(value, this.#ours);
        return usable && !looped ? ACK : nak(this.#draw());
    }

    accepted(value: Uint8Array | undefined): void {
        this.#peer = value ?? magicValue(0);
    }

    #draw(): Uint8Array {
        const drawn = this.#random(MAGIC_SIZE);
        return readU32(drawn, 0) === 0 ? magicValue(1) : drawn;
    }
}

function magicValue(magic: number): Uint8Array {
    const value = new Uint8Array(MAGIC_SIZE);
    writeU32(value, 0, magic);
    return value;
}

/**
 * Protocol-Field-Compression and Address-and-Control-Field-Compression, RFC 1661 §6.5 and §6.6.  Our server acknowledges
 * them, because it understands every shape anyway, and never asks for them, because it always sends whole headers.
 */
export class CompressionOption implements OptionHandler {
    readonly type: number;
    #asked: boolean;
    #peerAsked: boolean;

    constructor(type: number, asked: boolean, peerAsked = false) {
        this.type = type;
        this.#asked = asked;
        this.#peerAsked = peerAsked;
    }

    /** Whether we asked and the peer has not objected. */
    get asked(): boolean {
        return this.#asked;
    }

    /** Whether the peer asked and we acknowledged. */
    get peerAsked(): boolean {
        return this.#peerAsked;
    }

    request(): Uint8Array | undefined {
        return this.#asked ? new Uint8Array(0) : undefined;
    }

    naked(): void {
        this.#asked = false;
    }

    rejected(): void {
        this.#asked = false;
    }

    judge(value: Uint8Array): Verdict {
        return value.length === 0 ? ACK : nak(new Uint8Array(0));
    }

    accepted(value: Uint8Array | undefined): void {
        this.#peerAsked = value !== undefined;
    }
}
