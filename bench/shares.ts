/** `count` in `parts` shares that differ by one at most. */
export const sharesOf = (count: number, parts: number): readonly number[] =>
    Array.from({ length: parts }, (_, index) => Math.floor((count + index) / parts));
