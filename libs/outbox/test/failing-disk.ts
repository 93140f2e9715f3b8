// A real file behind a disk that is full or broken when a test says so.
import { createSegment, type OpenSegment, type SegmentHandle } from "../src/segment-file.ts";

export type Failure = "open" | "write" | "partial write" | "sync" | "truncate";

const failure = (code: string): Error => Object.assign(new Error(`${code}: the test's disk`), { code });

export class FailingDisk {
    #failures: readonly Failure[] = [];
    syncs = 0;

    fail(...failures: readonly Failure[]): void {
        this.#failures = failures;
    }

    heal(): void {
        this.#failures = [];
    }

    readonly open: OpenSegment = async (file) => {
        this.#failIf("open", "ENOSPC");
        const handle = await createSegment(file);
        const write = async (
            buffer: Uint8Array,
            offset: number,
            length: number,
            position: number,
        ): Promise<unknown> => {
            this.#failIf("write", "ENOSPC");
            if (this.#failures.includes("partial write")) {
                await handle.write(buffer, offset, Math.ceil(length / 2), position);
                throw failure("ENOSPC");
            }
            return handle.write(buffer, offset, length, position);
        };
        return {
            write: write as SegmentHandle["write"], // the one overload that is used
            datasync: async () => {
                this.#failIf("sync", "EIO");
                this.syncs += 1;
                await handle.datasync();
            },
            truncate: async (length) => {
                this.#failIf("truncate", "EIO");
                await handle.truncate(length);
            },
            close: () => handle.close(),
        };
    };

    #failIf(kind: Failure, code: string): void {
        if (this.#failures.includes(kind)) throw failure(code);
    }
}
