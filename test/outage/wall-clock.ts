// A wall clock for a whole installation that a test can set: libfaketime under every service.  Monotonic time, and the clock of
// nats-server, which does not ask the C library for it, stay what they are.
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { InvariantError } from "@postern/errors";

/** Where Debian's package has it, below the directory of the architecture. */
const LIBRARY = "faketime/libfaketimeMT.so.1";
/** Seconds after which a process reads the file again. */
const READ_AGAIN = 1;

export class WallClock {
    readonly #file: string;

    /** In `directory`, which exists. */
    constructor(directory: string) {
        this.#file = path.join(directory, "wall-clock");
        this.jump(0);
    }

    /** For the processes whose clock it is. */
    get environment(): Readonly<Record<string, string>> {
        return {
            LD_PRELOAD: findLibrary(),
            FAKETIME_TIMESTAMP_FILE: this.#file,
            FAKETIME_CACHE_DURATION: String(READ_AGAIN),
            FAKETIME_DONT_RESET: "1",
            DONT_FAKE_MONOTONIC: "1",
            NO_FAKE_STAT: "1",
        };
    }

    /** Milliseconds until every process has seen a jump. */
    readonly readAgain = READ_AGAIN * 1_000;

    /** From now on it is so many seconds off. */
    jump(seconds: number): void {
        writeFileSync(this.#file, `${seconds < 0 ? "" : "+"}${seconds}\n`);
    }
}

function findLibrary(): string {
    const places = readdirSync("/usr/lib").map((name) => path.join("/usr/lib", name, LIBRARY));
    const found = places.find((place) => existsSync(place));
    if (found === undefined) throw new InvariantError(`no ${LIBRARY}: tools/install-packages.sh test installs it`);
    return found;
}
