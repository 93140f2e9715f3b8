// LCP option 3, Authentication-Protocol, RFC 1661 §6.2:
//   protocol:16 | data: for CHAP one byte, the algorithm (RFC 1994 §3: 05 is MD5; RFC 2759 §2: 81 is MS-CHAPv2)
import { equalBytes, readU16, toHex } from "@postern/bytes";
import type { AuthenticationMethod } from "./authentication-attempt.ts";
import { LCP_OPTION } from "./constants.ts";
import { ACK, nak, type OptionHandler, type Verdict } from "./option-handler.ts";

const VALUES: Readonly<Record<AuthenticationMethod, Uint8Array>> = {
    eap: Uint8Array.of(0xc2, 0x27),
    mschapv2: Uint8Array.of(0xc2, 0x23, 0x81),
    chap: Uint8Array.of(0xc2, 0x23, 0x05),
    pap: Uint8Array.of(0xc0, 0x23),
};

/** Methods that peers ask for and we may have to name without having them. */
const OTHER_METHODS: ReadonlyMap<string, string> = new Map([["c22380", "MS-CHAP version 1"]]);

/** `undefined` for a method that is none of ours. */
function methodOfOption(value: Uint8Array): AuthenticationMethod | undefined {
    const entries = Object.entries(VALUES) as [AuthenticationMethod, Uint8Array][]; // `Object.entries` widens the keys
    return entries.find(([, bytes]) => equalBytes(bytes, value))?.[0];
}

/** A name for the log; never more than a few characters of what the peer sent. */
function nameOfOption(value: Uint8Array): string {
    const shown = toHex(value.subarray(0, 4));
    return methodOfOption(value) ?? OTHER_METHODS.get(shown) ?? `protocol ${shown}`;
}

/** The server's end: demands a method, and goes through what policy allows while the client refuses. */
export class AuthenticationDemand implements OptionHandler {
    readonly type = LCP_OPTION.authentication;
    #offered: AuthenticationMethod | undefined;
    #left: readonly AuthenticationMethod[];
    readonly #wanted = new Set<string>();
    readonly #exhausted: (detail: string) => void;

    constructor(allowed: readonly AuthenticationMethod[], exhausted: (detail: string) => void) {
        [this.#offered, ...this.#left] = allowed;
        this.#exhausted = exhausted;
    }

    /** The method on offer and, once LCP is open, the one agreed on. */
    get method(): AuthenticationMethod | undefined {
        return this.#offered;
    }

    request(): Uint8Array | undefined {
        return this.#offered === undefined ? undefined : VALUES[this.#offered];
    }

    /** The client's wish is granted where policy allows it; else the next of our own list is tried. */
    naked(value: Uint8Array): void {
        if (value.length >= 2) this.#wanted.add(nameOfOption(value));
        const wish = methodOfOption(value);
        this.#offer(wish !== undefined && this.#left.includes(wish) ? wish : this.#left[0]);
    }

    rejected(): void {
        this.#wanted.add("none");
        this.#offer(undefined);
    }

    #offer(method: AuthenticationMethod | undefined): void {
        const refused = this.#offered;
        this.#offered = method;
        this.#left = this.#left.filter((candidate) => candidate !== method);
        if (method === undefined) {
            this.#exhausted(`client wants ${[...this.#wanted].join(", ")}; last offered ${refused ?? "nothing"}`);
        }
    }
}

/** The client's end: takes what it knows and asks for its favourite otherwise. */
export class AuthenticationAcceptance implements OptionHandler {
    readonly type = LCP_OPTION.authentication;
    readonly #known: readonly AuthenticationMethod[];
    #method: AuthenticationMethod | undefined;

    constructor(known: readonly AuthenticationMethod[]) {
        this.#known = known;
    }

    /** What the server demands; `undefined` while it has demanded nothing. */
    get method(): AuthenticationMethod | undefined {
        return this.#method;
    }

    judge(value: Uint8Array): Verdict {
        const method = methodOfOption(value);
        if (method !== undefined && this.#known.includes(method)) return ACK;
        return this.#known[0] === undefined ? { verdict: "reject" } : nak(VALUES[this.#known[0]]);
    }

    accepted(value: Uint8Array | undefined): void {
        this.#method = value === undefined ? undefined : methodOfOption(value);
    }
}

/** The protocol that carries a method's packets. */
export const protocolOfMethod = (method: AuthenticationMethod): number => readU16(VALUES[method], 0);
