// Text in a search filter, RFC 4515 §3: what would be syntax is written as a backslash and two hexadecimal digits.

const SYNTAX = /[\0()*\\]/gu;

/** A value that a filter takes literally. */
export const escapeFilter = (value: string): string =>
    value.replace(SYNTAX, (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, "0")}`);

/** `template` with every `{user}` replaced by the escaped name. */
export const fillFilter = (template: string, user: string): string =>
    template.replaceAll("{user}", () => escapeFilter(user));
