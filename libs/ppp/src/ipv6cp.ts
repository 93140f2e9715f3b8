// IPv6 Control Protocol, RFC 5072 §4.1, both ends: each end has its own interface identifier of 8 bytes.
import { copyBytes, equalBytes } from "@postern/bytes";
import { INTERFACE_ID_SIZE, isZero } from "./address.ts";
import { IPV6CP_OPTION } from "./constants.ts";
import { ACK, nak, type OptionHandler, REJECT, type Verdict } from "./option-handler.ts";

const UNIVERSAL_BIT = 0x02;

export class InterfaceIdOption implements OptionHandler {
    readonly type = IPV6CP_OPTION.interfaceId;
    #ours: Uint8Array | undefined;
    readonly #suggestion: Uint8Array | undefined;
    #peer: Uint8Array | undefined;

    /** `suggestion` goes to a peer that has none or ours; an end without one rejects such a peer's option. */
    constructor(ours: Uint8Array, suggestion: Uint8Array | undefined, peer?: Uint8Array) {
        this.#ours = ours;
        this.#suggestion = suggestion;
        this.#peer = peer;
    }

    /** `undefined` when the peer wants none of us to be told. */
    get ours(): Uint8Array | undefined {
        return this.#ours;
    }

    /** What the peer asked for and got; `undefined` when it asked for none. */
    get peer(): Uint8Array | undefined {
        return this.#peer;
    }

    request(): Uint8Array | undefined {
        return this.#ours;
    }

    /** The peer has ours, or none to compare with: its suggestion is as good as any. */
    naked(value: Uint8Array): void {
        if (value.length === INTERFACE_ID_SIZE && !isZero(value)) this.#ours = copyBytes(value);
    }

    rejected(): void {
        this.#ours = undefined;
    }

    judge(value: Uint8Array): Verdict {
        const taken = this.#ours !== undefined && equalBytes(value, this.#ours);
        if (value.length === INTERFACE_ID_SIZE && !isZero(value) && !taken) return ACK;
        return this.#suggestion === undefined ? REJECT : nak(this.#suggestion);
    }

    demand(): Uint8Array | undefined {
        return this.#suggestion;
    }

    accepted(value: Uint8Array | undefined): void {
        this.#peer = value;
    }
}

/** An identifier of local significance, RFC 4291 §2.5.1: never zero, and no hardware address of anybody. */
export function randomInterfaceId(random: (size: number) => Uint8Array): Uint8Array {
    const id = copyBytes(random(INTERFACE_ID_SIZE));
    id[0] = (id[0] ?? 0) & ~UNIVERSAL_BIT;
    if (isZero(id)) id[INTERFACE_ID_SIZE - 1] = 1;
    return id;
}
