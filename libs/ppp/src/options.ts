// Configuration options, RFC 1661 §6: the data of Configure-Request, -Ack, -Nak and -Reject.
//   { type:8 | length:8 (counts these two) | value }*
import { InvariantError } from "@postern/errors";
import { PppError } from "./errors.ts";

const OPTION_HEADER_SIZE = 2;
const MAX_LENGTH = 0xff;

export interface ConfigurationOption {
    readonly type: number;
    /** Aliases the input: copy it to keep it. */
    readonly value: Uint8Array;
}

/** The options in wire order; any number, also none. */
export function decodeOptions(data: Uint8Array): readonly ConfigurationOption[] {
    const options: ConfigurationOption[] = [];
    let at = 0;
    while (at < data.length) {
        const [type, length] = data.subarray(at, at + OPTION_HEADER_SIZE);
        if (type === undefined || length === undefined || length < OPTION_HEADER_SIZE || at + length > data.length) {
            throw new PppError("PPP_BAD_OPTION", `option at ${at} of ${data.length} bytes`);
        }
        options.push({ type, value: data.subarray(at + OPTION_HEADER_SIZE, at + length) });
        at += length;
    }
    return options;
}

/** A new array with the options in the order given. */
export function encodeOptions(options: readonly ConfigurationOption[]): Uint8Array {
    const data = new Uint8Array(options.reduce((size, { value }) => size + OPTION_HEADER_SIZE + value.length, 0));
    let at = 0;
    for (const { type, value } of options) {
        const length = OPTION_HEADER_SIZE + value.length;
        if (length > MAX_LENGTH) throw new InvariantError(`option ${type} of ${length} bytes`);
        data[at] = type;
        data[at + 1] = length;
        data.set(value, at + OPTION_HEADER_SIZE);
        at += length;
    }
    return data;
}
