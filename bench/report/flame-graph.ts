// A flame graph of one process from `perf record -g` (Gregg, "The Flame Graph", CACM 59(6), 2016): the width of a box is the share of
// samples whose stack went through it.
import { shortNumber } from "./markdown.ts";
import { escapeText } from "./svg.ts";

/** Frames from the outermost to the innermost. */
type Stack = readonly Frame[];

interface Frame {
    readonly name: string;
    readonly kind: Kind;
}

type Kind = keyof typeof COLOURS;

interface Box {
    readonly frame: Frame;
    samples: number;
    readonly inner: Map<string, Box>;
}

const COLOURS = {
    kernel: "#e0a458",
    node: "#7fa6e0",
    addon: "#b48ad0",
    library: "#b8bcc4",
    script: "#8fc07f",
} as const;
const WIDTH = 1_000;
const ROW = 17;
const HEAD = 44;
/** Narrower boxes are left out. */
const MIN_SHARE = 0.004;
const CHARACTER = 6.3;
/** Code that V8 has compiled has no frame pointers that perf can follow outwards: what it calls begins here. */
const SCRIPT: Frame = { name: "JavaScript", kind: "script" };
const OUTERMOST = "__libc_start_call_main";

/** The SVG of what `perf script` printed. */
export function flameGraph(title: string, perfScript: string): string {
    const root = boxOf({ name: "all", kind: "library" });
    for (const stack of parsePerfScript(perfScript)) add(root, stack);
    const boxes = [...layOut(root, 0, 0, root.samples)];
    const rows = Math.max(...boxes.map(({ depth }) => depth)) + 1;
    const height = HEAD + rows * ROW;
    const legend = Object.entries(COLOURS).map(
        ([kind, colour], index) =>
            `<rect x="${index * 90}" y="26" width="10" height="10" fill="${colour}"/><text x="${index * 90 + 14}" y="35">${kind}</text>`,
    );
    const drawn = boxes.map(({ box: { frame, samples }, x, depth }) => {
        const [width, y] = [(samples / root.samples) * WIDTH, height - (depth + 1) * ROW];
        const label = frame.name.slice(0, Math.max(0, Math.floor(width / CHARACTER) - 1));
        const share = shortNumber((100 * samples) / root.samples);
        return (
            `<g><title>${escapeText(frame.name)}, ${share} %</title>` +
            `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" rx="1" fill="${COLOURS[frame.kind]}"/>` +
            (label.length > 2 ? `<text x="${(x + 3).toFixed(1)}" y="${y + 12}">${escapeText(label)}</text>` : "") +
            "</g>"
        );
    });
    const size = `width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`;
    return [
        `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${escapeText(title)}">`,
        `<style>text{font:11px ui-monospace,monospace;fill:#1b1f24}</style><rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
        `<text x="0" y="14">${escapeText(title)}: ${root.samples} samples</text>`,
        ...legend,
        ...drawn,
        "</svg>",
        "",
    ].join("\n");
}

/** Each sample is a line of its own, then its frames, the innermost first, then an empty line. */
export function* parsePerfScript(text: string): Iterable<Stack> {
    for (const block of text.split(/\n\s*\n/)) {
        const frames = block
            .split("\n")
            .filter((line) => /^\s/.test(line))
            .map((line) => frameOf(line))
            .toReversed();
        if (frames.length === 0) continue;
        const begins = frames.findIndex(({ name }) => name === OUTERMOST);
        const whole = begins >= 0 ? frames.slice(begins + 1) : [SCRIPT, ...frames];
        yield whole.filter((frame, index) => frame.name !== whole[index - 1]?.name);
    }
}

/** Such as `	ffffffff8200fc36 tcp_recvmsg_locked+0x156 ([kernel.kallsyms])`. */
function frameOf(line: string): Frame {
    const [, symbol = "[unknown]", file = ""] = /^\s*[0-9a-f]+ (.*) \((.*)\)$/.exec(line) ?? [];
    const name = symbol.replace(/\+0x[0-9a-f]+$/, "");
    if (file.includes("kernel")) return { name, kind: "kernel" };
    if (name === "[unknown]" || name.startsWith("Builtins_") || file.includes("perf-")) return SCRIPT;
    if (file.endsWith(".node")) return { name, kind: "addon" };
    return { name, kind: file.endsWith("/node") ? "node" : "library" };
}

const boxOf = (frame: Frame): Box => ({ frame, samples: 0, inner: new Map() });

function add(root: Box, stack: Stack): void {
    root.samples += 1;
    let box = root;
    for (const frame of stack) {
        const next = box.inner.get(frame.name) ?? boxOf(frame);
        box.inner.set(frame.name, next);
        next.samples += 1;
        box = next;
    }
}

interface Placed {
    readonly box: Box;
    readonly x: number;
    readonly depth: number;
}

function* layOut(box: Box, x: number, depth: number, all: number): Iterable<Placed> {
    if (box.samples < MIN_SHARE * all) return;
    yield { box, x, depth };
    let at = x;
    for (const inner of [...box.inner.values()].toSorted((a, b) => a.frame.name.localeCompare(b.frame.name))) {
        yield* layOut(inner, at, depth + 1, all);
        at += (inner.samples / all) * WIDTH;
    }
}
