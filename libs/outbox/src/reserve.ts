// Room on the disk that is kept for what must not be refused: a file of zeros, which is shortened when the disk is full.  On file
// systems that compress, or share blocks, it holds nothing free.
import { dirname } from "node:path";
import { writeAll, type Disk } from "./disk.ts";

const CHUNK = 64 * 1024;
const MARGIN = 128 * 1024;
/** Given up at once: less than the margin, so that nobody who shares the disk takes it for room to let new sessions in. */
const PIECE = MARGIN / 4;

export class Reserve {
    readonly #disk: Disk;
    readonly #file: string;
    readonly #size: number;
    /** Bytes of it that are kept. */
    #held: number;
    #refilling: Promise<boolean> | undefined;

    private constructor(disk: Disk, file: string, size: number, held: number) {
        this.#disk = disk;
        this.#file = file;
        this.#size = size;
        this.#held = held;
    }

    /** What an earlier start kept, or new; not whole when there is no room for it. */
    static async open(disk: Disk, file: string, size: number): Promise<Reserve> {
        const found = (await disk.status(file))?.size ?? 0;
        if (found > size) await shorten(disk, file, size);
        const reserve = new Reserve(disk, file, size, Math.min(found, size));
        await reserve.refill();
        return reserve;
    }

    /** Bytes that must be free besides, so that the disk is not full again at once. */
    get margin(): number {
        return marginOf(this.#size);
    }

    get isWhole(): boolean {
        return this.#held === this.#size;
    }

    /** Gives a piece of it to whoever needs it more.  False: there was none. */
    async release(): Promise<boolean> {
        // An attempt to take room back may be what the asker found the disk full of: without success it gives back what it took.
        const wasTrying = this.#refilling !== undefined;
        await this.#refilling?.catch(() => undefined);
        if (this.#held === 0) return wasTrying;
        this.#held = Math.max(0, this.#held - PIECE);
        await shorten(this.#disk, this.#file, this.#held);
        return true;
    }

    /** Takes its room back.  False: the disk has too little. */
    async refill(): Promise<boolean> {
        if (this.isWhole) return true;
        this.#refilling ??= this.#refill().finally(() => (this.#refilling = undefined));
        return this.#refilling;
    }

    async #refill(): Promise<boolean> {
        // Not tried in vain: meanwhile others would find the disk full.
        if ((await this.#disk.free(dirname(this.#file))) < roomFor(this.#size) - this.#held) return false;
        try {
            await this.#fill();
            this.#held = this.#size;
        } catch (error) {
            // There may be a quota besides.
            if (!isNoSpace(error)) throw error;
            if (await this.#exists()) await shorten(this.#disk, this.#file, this.#held);
        }
        return this.isWhole;
    }

    async #fill(): Promise<void> {
        const handle = await this.#disk.open(this.#file, (await this.#exists()) ? "r+" : "w");
        try {
            const end = roomFor(this.#size);
            for (let at = this.#held; at < end;) {
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

    async #exists(): Promise<boolean> {
        return (await this.#disk.status(this.#file)) !== undefined;
    }
}

const marginOf = (size: number): number => Math.min(MARGIN, size);

/** Bytes that must be free for a reserve of `size` bytes to be taken. */
export const roomFor = (size: number): number => size + marginOf(size);

/** Gives up a piece of a reserve that nobody has open.  False: there was none. */
export async function giveUpPiece(disk: Disk, file: string): Promise<boolean> {
    const found = (await disk.status(file))?.size ?? 0;
    if (found === 0) return false;
    await shorten(disk, file, Math.max(0, found - PIECE));
    return true;
}

async function shorten(disk: Disk, file: string, size: number): Promise<void> {
    const handle = await disk.open(file, "r+");
    try {
        await handle.truncate(size);
    } finally {
        await handle.close();
    }
}

/** Of an error, or of what caused it. */
export function isNoSpace(error: unknown): boolean {
    if (!(error instanceof Error)) return false;
    const { code } = error as NodeJS.ErrnoException; // `undefined` in errors that have none
    return code === "ENOSPC" || code === "EDQUOT" || isNoSpace(error.cause);
}
