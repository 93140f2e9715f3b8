// What every row of the table has: it looks at contenders of one run and says what it found.
import type { OcservPeer } from "./peers/ocserv.ts";
import type { PosternPeer } from "./peers/postern.ts";
import type { Row } from "./report/row.ts";
import type { Settings } from "./settings.ts";
import type { Topology } from "./topology.ts";

export interface Scene {
    readonly settings: Settings;
    readonly topology: Topology;
    readonly ocserv: OcservPeer;
    readonly postern: PosternPeer;
    /** One line of progress. */
    readonly say: (line: string) => void;
}

export interface Measure {
    /** Rows of docs/benchmarks.md that it fills. */
    readonly numbers: readonly number[];
    readonly run: (scene: Scene) => Promise<readonly Row[]>;
}
