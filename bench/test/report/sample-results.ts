// Results for tests of the report, with characters that have a meaning in SVG and Markdown.
import type { Results } from "../../report/results.ts";
import { atLeast, judgeRatio, type Row } from "../../report/row.ts";
import { settingsFrom } from "../../settings.ts";

const [slow, fast] = [
    [1.5, 1.7, 1.6],
    [6_000, 8_000, 7_000],
];

export const ROW: Row = {
    number: 3,
    title: "Small <packets> & large",
    figures: [
        {
            name: "Speed",
            unit: "packets/s",
            series: [
                { contender: "ocserv", values: slow },
                { contender: "postern", values: fast },
            ],
        },
    ],
    verdicts: [
        judgeRatio("speed, to ocserv's", fast, slow, atLeast(4)),
        judgeRatio("slowness, to postern's", slow, fast, atLeast(4)),
    ],
    notes: ["A note."],
};

export const RESULTS: Results = {
    date: "2026-01-02T03:04:05.678Z",
    settings: settingsFrom({}),
    host: { cores: 2, model: "A CPU", memoryBytes: 8 * 2 ** 30, kernel: "6.1", node: "v26.0.0", loadBefore: 0.25 },
    rows: [ROW],
};
