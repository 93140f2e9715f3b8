// The answer to a Configure-Request, RFC 1661 §5.2 to §5.4: options that we do not have are rejected first and alone;
// only a request without such options gets a Configure-Nak; only one without objections a Configure-Ack.
import { copyBytes } from "@postern/bytes";
import { type OptionHandler, REJECT, type Verdict } from "./option-handler.ts";
import type { ConfigurationOption } from "./options.ts";

export type Reply =
    /** `commit` tells the handlers; to be called when the Configure-Ack goes out. */
    | { readonly verdict: "ack"; readonly commit: () => void }
    | { readonly verdict: "nak" | "reject"; readonly options: readonly ConfigurationOption[] }
    /** An option that we insist on is still missing, and Max-Failure Naks have asked for it. */
    | { readonly verdict: "hopeless" };

/** `mayNak`: fewer than Max-Failure Naks went out since the last Ack; after that, Naks become Rejects (§4.6). */
export function judgeRequest(
    handlers: readonly OptionHandler[],
    options: readonly ConfigurationOption[],
    mayNak: boolean,
): Reply {
    const present = new Map<number, Uint8Array>();
    const rejected: ConfigurationOption[] = [];
    const naked: ConfigurationOption[] = [];
    for (const option of options) {
        const answer = present.has(option.type) ? REJECT : judgeOption(handlers, option);
        present.set(option.type, option.value);
        if (answer.verdict === "reject" || (answer.verdict === "nak" && !mayNak)) rejected.push(option);
        else if (answer.verdict === "nak") naked.push({ type: option.type, value: answer.value });
    }
    if (rejected.length > 0) return { verdict: "reject", options: rejected };
    for (const handler of handlers) {
        const value = present.has(handler.type) ? undefined : handler.demand?.();
        if (value !== undefined) naked.push({ type: handler.type, value });
    }
    if (naked.length > 0) return mayNak ? { verdict: "nak", options: naked } : { verdict: "hopeless" };
    return {
        verdict: "ack",
        commit: () => {
            for (const handler of handlers) {
                const value = present.get(handler.type);
                handler.accepted?.(value && copyBytes(value));
            }
        },
    };
}

function judgeOption(handlers: readonly OptionHandler[], option: ConfigurationOption): Verdict {
    const handler = handlers.find(({ type }) => type === option.type);
    return handler?.judge?.(option.value) ?? REJECT;
}
