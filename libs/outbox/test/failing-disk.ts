// A real disk that is full or broken when a test says so.
import { realDisk, type Disk, type DiskFile } from "../src/disk.ts";

export type Failure = "open" | "write" | "partial write" | "sync" | "truncate";

const failure = (code: string): Error => Object.assign(new Error(`${code}: the test's disk`), { code });

export class FailingDisk implements Disk {
    readonly makeDirectories = realDisk.makeDirectories;
    readonly list = realDisk.list;
    readonly read = realDisk.read;
    readonly rename = realDisk.rename;
    readonly unlink = realDisk.unlink;
    readonly removeTree = realDisk.removeTree;
    readonly copy = realDisk.copy;
    readonly syncDirectory = realDisk.syncDirectory;
    readonly status = realDisk.status;
    readonly free = realDisk.free;
    readonly touch = realDisk.touch;
    #failures: readonly Failure[] = [];
    syncs = 0;

    fail(...failures: readonly Failure[]): void {
        this.#failures = failures;
    }

    heal(): void {
        this.#failures = [];
    }

    async open(file: string, flags: Parameters<Disk["open"]>[1]): Promise<DiskFile> {
        this.#failIf("open", "ENOSPC");
        const handle = await realDisk.open(file, flags);
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
            write: write as DiskFile["write"], // the one overload that is used
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
    }

    #failIf(kind: Failure, code: string): void {
        if (this.#failures.includes(kind)) throw failure(code);
    }
}
