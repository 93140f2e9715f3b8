// A row's figures as bars: medians, with a whisker from the lowest to the highest round.
import { spreadOf } from "../statistics.ts";
import { shortNumber } from "./markdown.ts";
import type { Figure, Row } from "./row.ts";
import { escapeText } from "./svg.ts";

const WIDTH = 760;
const LABEL_WIDTH = 210;
const VALUE_WIDTH = 110;
const BAR_WIDTH = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
const BAR_HEIGHT = 18;
const BAR_STEP = 26;
const TITLE_HEIGHT = 26;
const GAP = 14;
const COLOURS = ["#8a8f98", "#2f6fde", "#7fb069", "#c9832b"] as const;
const STYLE =
    "text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}.value{font-variant-numeric:tabular-nums}" +
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}line{stroke:#e6edf3}}";

export function plot({ title, figures }: Row): string {
    const parts: string[] = [];
    let y = 0;
    for (const figure of figures) {
        parts.push(plotFigure(figure, y));
        y += TITLE_HEIGHT + figure.series.length * BAR_STEP + GAP;
    }
    const size = `width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}"`;
    const head = `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${escapeText(title)}">`;
    return [head, `<style>${STYLE}</style>`, ...parts, "</svg>", ""].join("\n");
}

function plotFigure({ name, unit, series }: Figure, top: number): string {
    const largest = Math.max(...series.flatMap(({ values }) => values), Number.MIN_VALUE);
    const scale = (value: number): number => Math.round((value / largest) * BAR_WIDTH * 10) / 10;
    const lines = [`<text class="title" x="0" y="${top + 16}">${escapeText(`${name}, ${unit}`)}</text>`];
    for (const [index, { contender, values }] of series.entries()) {
        const { median, low, high } = spreadOf(values);
        const y = top + TITLE_HEIGHT + index * BAR_STEP;
        const middle = y + BAR_HEIGHT / 2;
        const [from, to] = [LABEL_WIDTH + scale(low), LABEL_WIDTH + scale(high)];
        const colour = COLOURS[index % COLOURS.length];
        lines.push(
            `<text x="${LABEL_WIDTH - 8}" y="${middle + 4}" text-anchor="end">${escapeText(contender)}</text>`,
            `<rect x="${LABEL_WIDTH}" y="${y}" width="${scale(median)}" height="${BAR_HEIGHT}" rx="2" fill="${colour}"/>`,
            `<line x1="${from}" x2="${to}" y1="${middle}" y2="${middle}" stroke="#24292f" stroke-width="1.5"/>`,
            `<text class="value" x="${Math.max(to, LABEL_WIDTH + scale(median)) + 8}" y="${middle + 4}">${shortNumber(median)}</text>`,
        );
    }
    return lines.join("\n");
}
