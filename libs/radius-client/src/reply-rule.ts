// Whether replies without a Message-Authenticator are believed: without it an Access-Accept can be forged (CVE-2024-3596).
import { ATTRIBUTE, type MessageAuthenticatorRule, type Packet } from "@postern/radius";

/** `auto`: as soon as the server has sent one, all of its replies must have it. */
export type MessageAuthenticatorMode = "yes" | "auto" | "no";

/** The rule for one server, over all of its sockets. */
export class ReplyRule {
    readonly #mode: MessageAuthenticatorMode;
    #seen = false;

    constructor(mode: MessageAuthenticatorMode) {
        this.#mode = mode;
    }

    get current(): MessageAuthenticatorRule {
        return this.#mode === "yes" || (this.#mode === "auto" && this.#seen) ? "required" : "if-present";
    }

    /** A reply verified. */
    onVerified({ attributes }: Packet): void {
        this.#seen ||= attributes.some(({ type }) => type === ATTRIBUTE.messageAuthenticator);
    }
}
