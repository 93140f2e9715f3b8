// Verification of one call's crypto binding, [MS-SSTP] 3.3.5.2.3, whichever comes first: the Call Connected or the key.
import { copyBytes } from "@postern/bytes";
import type { CryptoBinding } from "./attributes.ts";
import type { HashProtocol } from "./constants.ts";
import {
    type BindingFailure,
    type Digests,
    type ExpectedBinding,
    checkBinding,
    chosenHashProtocol,
    verifyCompoundMac,
} from "./crypto-binding.ts";

/** What is known of a binding after one more fact. */
export type BindingVerdict = "verified" | "incomplete" | { readonly failure: BindingFailure };

interface Presented {
    readonly hash: HashProtocol;
    readonly packet: Uint8Array;
    readonly certificateHash: Uint8Array;
}

/** Waits for a Call Connected and a higher-layer authentication key, and holds one against the other. */
export class BindingVerifier {
    readonly #digests: Digests;
    readonly #expected: ExpectedBinding;
    #hlak: Uint8Array | undefined;
    #presented: Presented | undefined;

    constructor(digests: Digests, expected: ExpectedBinding) {
        this.#digests = digests;
        this.#expected = expected;
    }

    /** The certificate hash that the client presented: 20 or 32 octets, and twelve zeros behind the shorter. */
    get certificateHash(): Uint8Array | undefined {
        return this.#presented?.certificateHash;
    }

    /** The client's Call Connected: checked now, except for the compound MAC when the key is still to come. */
    present(packet: Uint8Array, binding: CryptoBinding): BindingVerdict {
        const failure = checkBinding(binding, this.#expected);
        if (failure !== undefined) return { failure };
        const hash = chosenHashProtocol(binding, this.#expected.hashProtocols);
        if (hash === undefined) return { failure: "hash-algorithm" };
        this.#presented = {
            hash,
            packet: copyBytes(packet),
            certificateHash: copyBytes(binding.certificateHash),
        };
        return this.#decide();
    }

    /** The authentication succeeded.  `undefined`: its method yields keys but none arrived, which no MAC can make good. */
    authenticated(hlak: Uint8Array | undefined): BindingVerdict {
        if (hlak === undefined) return { failure: "key-missing" };
        this.#hlak = copyBytes(hlak);
        return this.#decide();
    }

    /** Overwrites the key. */
    forget(): void {
        this.#hlak?.fill(0);
        this.#hlak = undefined;
    }

    #decide(): BindingVerdict {
        if (this.#presented === undefined || this.#hlak === undefined) return "incomplete";
        const { hash, packet } = this.#presented;
        const verified = verifyCompoundMac(this.#digests, hash, this.#hlak, packet);
        return verified ? "verified" : { failure: "compound-mac" };
    }
}
