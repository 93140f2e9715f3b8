// Quantities for people.

const DAY = 86_400;
const HOUR = 3_600;
const MINUTE = 60;

/** `3d4h`, `2h05m`, `4m03s`, `12s`. */
export function formatElapsed(milliseconds: number): string {
    const seconds = Math.max(0, Math.floor(milliseconds / 1000));
    const two = (value: number): string => String(value).padStart(2, "0");
    if (seconds >= DAY) return `${Math.floor(seconds / DAY)}d${Math.floor((seconds % DAY) / HOUR)}h`;
    if (seconds >= HOUR) return `${Math.floor(seconds / HOUR)}h${two(Math.floor((seconds % HOUR) / MINUTE))}m`;
    if (seconds >= MINUTE) return `${Math.floor(seconds / MINUTE)}m${two(seconds % MINUTE)}s`;
    return `${seconds}s`;
}

const STEP = 1024;
const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"];

/** `512 B`, `1.5 KiB`. */
export function formatBytes(bytes: number): string {
    if (bytes < STEP) return `${bytes} B`;
    const power = Math.min(UNITS.length, Math.floor(Math.log2(bytes) / Math.log2(STEP)));
    return `${(bytes / STEP ** power).toFixed(1)} ${UNITS[power - 1]}`;
}
