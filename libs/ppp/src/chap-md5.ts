// CHAP with MD5, RFC 1994 §4.1: value of a Response = MD5(identifier:8 | secret | challenge).
import { concatBytes, encodeLatin1, encodeUtf8, equalBytes, equalBytesConstantTime } from "@postern/bytes";
import type { ChapDigests } from "./digests.ts";

export const CHAP_MD5_SIZE = 16;

export interface ChapQuestion {
    readonly identifier: number;
    readonly challenge: Uint8Array;
}

/** 16 bytes. */
export const chapResponse = (
    { md5 }: ChapDigests,
    secret: Uint8Array,
    { identifier, challenge }: ChapQuestion,
): Uint8Array => md5(concatBytes(Uint8Array.of(identifier), secret, challenge));

/** Whether `response` was made with `password`; one that is not ASCII may have been in UTF-8 or in an 8-bit character set. */
export function verifyChap(
    digests: ChapDigests,
    password: string,
    { response, ...question }: ChapQuestion & { readonly response: Uint8Array },
): boolean {
    const utf8 = encodeUtf8(password);
    const latin1 = encodeLatin1(password);
    const spellings = equalBytes(utf8, latin1) ? [utf8] : [utf8, latin1];
    return spellings.some((secret) => equalBytesConstantTime(chapResponse(digests, secret, question), response));
}
