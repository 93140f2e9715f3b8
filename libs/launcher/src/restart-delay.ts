// When a child that ended by itself is started again.

const FIRST = 250;
const LONGEST = 30_000;
/** A child that ran so long was all right: whatever ended it is a new event. */
const STABLE = 10_000;

/** Ends in a row that came soon after a start, counting one that came after `uptime` milliseconds. */
export const failuresAfter = (failures: number, uptime: number): number => (uptime >= STABLE ? 1 : failures + 1);

/** Milliseconds before the next start: at once for a single end, doubling while the child does not stay up. */
export const restartDelay = (failures: number): number => Math.min(LONGEST, FIRST * 2 ** Math.max(0, failures - 1));
