// Whether the disk has room.  When it is full, what is essential gets what was kept for it, and everything else is refused until
// the reserve is whole again.
import { dirname } from "node:path";
import type { Disk } from "./disk.ts";
import type { OutboxLog } from "./outbox.ts";
import { isNoSpace, Reserve } from "./reserve.ts";

export class Room {
    readonly #reserve: Reserve;
    readonly #log: OutboxLog;
    readonly #disk: Disk;
    readonly #file: string;
    #isShort = false;

    private constructor(disk: Disk, reserve: Reserve, file: string, log: OutboxLog) {
        this.#disk = disk;
        this.#reserve = reserve;
        this.#file = file;
        this.#log = log;
        if (!reserve.isWhole) this.onFull();
    }

    static async open(disk: Disk, file: string, size: number, log: OutboxLog): Promise<Room> {
        return new Room(disk, await Reserve.open(disk, file, size), file, log);
    }

    /** Only what is essential is taken. */
    get isShort(): boolean {
        return this.#isShort;
    }

    /** A write found the disk full. */
    readonly onFull = (): void => {
        if (this.#isShort) return;
        this.#isShort = true;
        const message =
            "the disk of the outbox is full: no new sessions, only the ends of those that are there are kept";
        this.#log.error({ reserve: this.#file }, message);
    };

    /** Gives up a piece of the reserve; false: there is none left. */
    readonly makeRoom = async (): Promise<boolean> => {
        this.onFull();
        return this.#reserve.release();
    };

    /** Does what must be done; while the disk is too full for that, again with a piece more of the room that is kept. */
    async essential<T>(work: () => Promise<T>): Promise<T> {
        for (;;) {
            try {
                return await work();
            } catch (error) {
                if (!isNoSpace(error) || !(await this.makeRoom())) throw error;
            }
        }
    }

    /** Whether there is room, still or again; called about once a second. */
    async look(): Promise<void> {
        const isTight = (await this.#disk.free(dirname(this.#file))) < this.#reserve.margin;
        // Better known before somebody is let in whose beginning cannot be recorded.
        if (!this.#isShort && isTight) this.onFull();
        if (!this.#isShort || isTight || !(await this.#reserve.refill())) return;
        this.#isShort = false;
        this.#log.info({ reserve: this.#file }, "the disk of the outbox has room again");
    }
}
