// Results as tables.
import { spreadOf, type Spread } from "../statistics.ts";
import type { Results } from "./results.ts";
import type { Figure, Row, Verdict } from "./row.ts";

const SIGNIFICANT = 3;

/** Three significant digits, without exponents. */
export function shortNumber(value: number): string {
    if (!Number.isFinite(value)) return "none";
    const whole = Math.abs(value) >= 10 ** SIGNIFICANT;
    return whole ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(SIGNIFICANT)));
}

const spreadText = ({ median, low, high }: Spread, unit: string): string => {
    const suffix = unit === "" ? "" : ` ${unit}`;
    const range = low === high ? "" : ` (${shortNumber(low)} to ${shortNumber(high)})`;
    return `${shortNumber(median)}${suffix}${range}`;
};

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
    [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

const askedText = ({ asked: { relation, value }, unit }: Verdict): string =>
    `${relation === "at least" ? "≥" : "≤"} ${shortNumber(value)}${unit === "" ? "" : ` ${unit}`}`;

/** What was to be reached, row by row. */
export const verdictTable = (rows: readonly Row[]): string =>
    table(
        ["#", "Measure", "Median (range)", "To reach", ""],
        rows.flatMap(({ number, verdicts }) =>
            verdicts.map((verdict) => [
                String(number),
                verdict.what,
                spreadText(verdict.measured, verdict.unit),
                askedText(verdict),
                verdict.isReached ? "reached" : "**not reached**",
            ]),
        ),
    );

const figureTable = ({ name, unit, series }: Figure): string =>
    table(
        [`${name}, ${unit}`, "Median", "Lowest", "Highest", "Rounds"],
        series.map(({ contender, values }) => {
            const { median, low, high } = spreadOf(values);
            return [contender, shortNumber(median), shortNumber(low), shortNumber(high), String(values.length)];
        }),
    );

/** File of a row's plot, beside the page. */
export const plotFile = (row: Row): string => `benchmarks/row-${row.number}.svg`;

const section = (row: Row): string =>
    [
        `### Row ${row.number}: ${row.title}`,
        `![${row.title}](${plotFile(row)})`,
        ...row.figures.map(figureTable),
        ...row.notes,
    ].join("\n\n");

/** Everything between the marks of docs/benchmarks.md. */
export function resultsText({ date, host, settings, rows }: Results): string {
    const { cores, model, kernel, node, loadBefore } = host;
    const memory = Math.round(host.memoryBytes / 2 ** 30);
    const head = [
        `Measured ${date.slice(0, 10)} on ${cores} cores (${model}), ${memory} GiB, Linux ${kernel}, Node ${node};`,
        `load average before: ${shortNumber(loadBefore)}. ${settings.rounds} rounds of ${settings.seconds} s each, interleaved.`,
    ].join(" ");
    return [head, verdictTable(rows), ...rows.map(section)].join("\n\n");
}
