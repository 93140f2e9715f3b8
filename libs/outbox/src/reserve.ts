// Room on the disk that is kept for what must not be refused: a file of zeros, which is emptied when the disk is full.  On file
// systems that compress, or share blocks, it holds nothing free.
import { writeAll, type Disk } from "./disk.ts";

const CHUNK = 64 * 1024;
const MARGIN = 128 * 1024;

export class Reserve {
    readonly #disk: Disk;
    readonly #file: string;
    readonly #size: number;
    #isHeld: boolean;

    private constructor(disk: Disk, file: string, size: number, isHeld: boolean) {
        this.#disk = disk;
        this.#file = file;
        this.#size = size;
        this.#isHeld = isHeld;
    }

    /** What an earlier start kept, or new; not held when there is no room for it. */
    static async open(disk: Disk, file: string, size: number): Promise<Reserve> {
        const found = await disk.status(file);
        const reserve = new Reserve(disk, file, size, found?.size === size);
        if (!reserve.isHeld) await reserve.refill();
        return reserve;
    }

    /** Bytes that must be free besides, so that the disk is not full again at once. */
    get margin(): number {
        return Math.min(MARGIN, this.#size);
    }

    get isHeld(): boolean {
        return this.#isHeld;
    }

    /** Gives its room to whoever needs it more.  False: there was none. */
    async release(): Promise<boolean> {
        if (!this.#isHeld) return false;
        this.#isHeld = false;
        await this.#empty();
        return true;
    }

    /** Takes its room back.  False: the disk has too little. */
    async refill(): Promise<boolean> {
        if (this.#isHeld) return true;
        try {
            await this.#fill();
            this.#isHeld = true;
        } catch (error) {
            if (!isNoSpace(error)) throw error;
            await this.#empty();
        }
        return this.#isHeld;
    }

    async #fill(): Promise<void> {
        const handle = await this.#disk.open(this.#file, "w");
        try {
            const end = this.#size + this.margin;
            for (let at = 0; at < end;) {
                const length = Math.min(CHUNK, end - at);
                await writeAll(handle, new Uint8Array(length), at);
                at += length;
            }
            // Some file systems find out only now.
            await handle.datasync();
            await handle.truncate(this.#size);
            await handle.datasync();
        } finally {
            await handle.close();
        }
    }

    async #empty(): Promise<void> {
        const handle = await this.#disk.open(this.#file, "w");
        await handle.close();
    }
}

/** Of an error, or of what caused it. */
export function isNoSpace(error: unknown): boolean {
    if (!(error instanceof Error)) return false;
    const { code } = error as NodeJS.ErrnoException; // `undefined` in errors that have none
    return code === "ENOSPC" || code === "EDQUOT" || isNoSpace(error.cause);
}
