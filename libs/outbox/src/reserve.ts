// Room on the disk that is kept for what must not be refused: a file of zeros, which is emptied when the disk is full.  On file
// systems that compress, or share blocks, it holds nothing free.
import { dirname } from "node:path";
import { writeAll, type Disk } from "./disk.ts";

const CHUNK = 64 * 1024;
const MARGIN = 128 * 1024;

export class Reserve {
    readonly #disk: Disk;
    readonly #file: string;
    readonly #size: number;
    #isHeld: boolean;
    #refilling: Promise<boolean> | undefined;

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
        if (reserve.isHeld) return reserve;
        // What a start that was interrupted had taken of it, or one with other settings.
        await giveUpReserve(disk, file);
        await reserve.refill();
        return reserve;
    }

    /** Bytes that must be free besides, so that the disk is not full again at once. */
    get margin(): number {
        return marginOf(this.#size);
    }

    get isHeld(): boolean {
        return this.#isHeld;
    }

    /** Gives its room to whoever needs it more.  False: there was none. */
    async release(): Promise<boolean> {
        // An attempt to take room back may be what the asker found the disk full of: without success it gives back what it took.
        const wasTrying = this.#refilling !== undefined;
        await this.#refilling?.catch(() => undefined);
        if (!this.#isHeld) return wasTrying;
        this.#isHeld = false;
        await giveUpReserve(this.#disk, this.#file);
        return true;
    }

    /** Takes its room back.  False: the disk has too little. */
    async refill(): Promise<boolean> {
        if (this.#isHeld) return true;
        this.#refilling ??= this.#refill().finally(() => (this.#refilling = undefined));
        return this.#refilling;
    }

    async #refill(): Promise<boolean> {
        // Not tried in vain: meanwhile others would find the disk full.
        if ((await this.#disk.free(dirname(this.#file))) < roomFor(this.#size)) return false;
        try {
            await this.#fill();
            this.#isHeld = true;
        } catch (error) {
            // There may be a quota besides.
            if (!isNoSpace(error)) throw error;
            await giveUpReserve(this.#disk, this.#file);
        }
        return this.#isHeld;
    }

    async #fill(): Promise<void> {
        const handle = await this.#disk.open(this.#file, "w");
        try {
            const end = roomFor(this.#size);
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
}

const marginOf = (size: number): number => Math.min(MARGIN, size);

/** Bytes that must be free for a reserve of `size` bytes to be taken. */
export const roomFor = (size: number): number => size + marginOf(size);

/** Empties a reserve that nobody else uses, of whatever size it is.  False: there was nothing in it. */
export async function giveUpReserve(disk: Disk, file: string): Promise<boolean> {
    const found = await disk.status(file);
    if (found === undefined || found.size === 0) return false;
    const handle = await disk.open(file, "w");
    await handle.close();
    return true;
}

/** Of an error, or of what caused it. */
export function isNoSpace(error: unknown): boolean {
    if (!(error instanceof Error)) return false;
    const { code } = error as NodeJS.ErrnoException; // `undefined` in errors that have none
    return code === "ENOSPC" || code === "EDQUOT" || isNoSpace(error.cause);
}
