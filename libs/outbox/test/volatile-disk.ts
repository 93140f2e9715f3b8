// A disk in memory that keeps what was synced, and of the rest what a test says, when its machine loses power.
//
// What POSIX promises and no more: bytes are durable after fdatasync of their file, names after fsync of their directory, and
// until then any part of either may survive, in any order; a rename takes place or does not.
import { dirname, basename } from "node:path";
import type { Disk, DiskEntry, DiskFile, FileStatus } from "../src/disk.ts";

/** What survives of bytes that were written and not synced. */
type Bytes = "none" | "first" | "half" | "all but one" | "zeros" | "all";
/** … and of names that were changed and not synced; the last two: every other change. */
type Names = "none" | "half" | "all" | "even" | "odd";
export interface Survival {
    readonly bytes: Bytes;
    readonly names: Names;
}

class File {
    durable = new Uint8Array();
    content = new Uint8Array();
    modifiedAt = 0;
}

class Directory {
    readonly durable = new Map<string, Node>();
    readonly entries = new Map<string, Node>();
    /** Changes since the last sync, in order. */
    pending: ((entries: Map<string, Node>) => void)[] = [];

    change(change: (entries: Map<string, Node>) => void): void {
        change(this.entries);
        this.pending.push(change);
    }

    sync(): void {
        for (const change of this.pending) change(this.durable);
        this.pending = [];
    }
}

type Node = File | Directory;

const failure = (code: string, path: string): Error => Object.assign(new Error(`${code}: ${path}`), { code });

export class VolatileDisk implements Disk {
    readonly #root: Directory;
    readonly #now: () => number;
    /** Told before every operation that changes something; it may never come back. */
    step: () => Promise<void> = async () => undefined;
    /** Bytes that all files may have. */
    capacity = Infinity;

    constructor(now: () => number, root = new Directory()) {
        this.#now = now;
        this.#root = root;
    }

    /** What the next start of the machine finds. */
    afterPowerLoss(survival: Survival): VolatileDisk {
        const after = new VolatileDisk(this.#now, survivingDirectory(this.#root, survival));
        after.capacity = this.capacity;
        return after;
    }

    /** To the last byte. */
    fill(): void {
        this.capacity = sizeOf(this.#root);
    }

    /** The same for disks that hold the same, but for what a lock file holds, which is never synced. */
    get fingerprint(): string {
        return fingerprintOf(this.#root);
    }

    async makeDirectories(path: string): Promise<void> {
        const parent = dirname(path);
        if (parent !== path) await this.makeDirectories(parent);
        if (path === "/") return;
        const there = this.#find(path);
        if (there instanceof Directory) return;
        if (there !== undefined) throw failure("EEXIST", path);
        await this.step();
        const made = new Directory();
        this.#directory(parent).change((entries) => entries.set(basename(path), made));
        await this.syncDirectory(parent);
    }

    async list(directory: string): Promise<readonly DiskEntry[]> {
        const entries = [...this.#directory(directory).entries];
        return entries.map(([name, node]) => ({ name, isDirectory: node instanceof Directory }));
    }

    async read(file: string): Promise<Uint8Array> {
        return this.#file(file).content.slice();
    }

    async open(path: string, flags: "wx" | "w" | "r+"): Promise<DiskFile> {
        await this.step();
        const there = this.#find(path);
        if (there instanceof Directory) throw failure("EISDIR", path);
        if (flags === "wx" && there !== undefined) throw failure("EEXIST", path);
        if (flags === "r+" && there === undefined) throw failure("ENOENT", path);
        const file = there ?? this.#create(path);
        if (flags === "w") file.content = new Uint8Array();
        if (flags !== "r+") file.modifiedAt = this.#now();
        return this.#handle(file);
    }

    async rename(from: string, to: string): Promise<void> {
        await this.step();
        const node = this.#node(from);
        // Within one directory, as an outbox does it.
        this.#directory(dirname(from)).change((entries) => {
            entries.delete(basename(from));
            entries.set(basename(to), node);
        });
    }

    async unlink(path: string): Promise<void> {
        await this.step();
        this.#file(path);
        this.#directory(dirname(path)).change((entries) => entries.delete(basename(path)));
    }

    async removeTree(path: string): Promise<void> {
        if (this.#find(path) instanceof File) return this.unlink(path);
        for (const { name, isDirectory } of await this.list(path)) {
            if (isDirectory) await this.removeTree(`${path}/${name}`);
            else await this.unlink(`${path}/${name}`);
        }
        await this.step();
        this.#directory(dirname(path)).change((entries) => entries.delete(basename(path)));
    }

    async copy(from: string, to: string): Promise<void> {
        const content = await this.read(from);
        const file = await this.open(to, "w");
        await file.write(content, 0, content.length, 0);
    }

    async syncDirectory(path: string): Promise<void> {
        await this.step();
        const node = this.#node(path);
        if (node instanceof Directory) node.sync();
    }

    async status(path: string): Promise<FileStatus | undefined> {
        const node = this.#find(path);
        if (node === undefined) return undefined;
        return node instanceof Directory
            ? { size: 0, modifiedAt: 0 }
            : { size: node.content.length, modifiedAt: node.modifiedAt };
    }

    async touch(path: string): Promise<void> {
        this.#file(path).modifiedAt = this.#now();
    }

    async free(): Promise<number> {
        return this.capacity - sizeOf(this.#root);
    }

    #handle(file: File): DiskFile {
        const write = async (buffer: Uint8Array, offset: number, length: number, position: number) => {
            await this.step();
            const grown = Math.max(0, position + length - file.content.length);
            if (this.capacity < Infinity && sizeOf(this.#root) + grown > this.capacity) throw failure("ENOSPC", "");
            const content = new Uint8Array(Math.max(file.content.length, position + length));
            content.set(file.content);
            content.set(buffer.subarray(offset, offset + length), position);
            file.content = content;
            file.modifiedAt = this.#now();
            return { bytesWritten: length, buffer };
        };
        return {
            write: write as DiskFile["write"], // the one overload that is used
            truncate: async (length = 0) => {
                await this.step();
                file.content = file.content.slice(0, length);
            },
            datasync: async () => {
                await this.step();
                file.durable = file.content;
            },
            close: async () => undefined,
        };
    }

    #create(path: string): File {
        const file = new File();
        this.#directory(dirname(path)).change((entries) => entries.set(basename(path), file));
        return file;
    }

    #find(path: string): Node | undefined {
        let node: Node | undefined = this.#root;
        for (const name of path.split("/").filter(Boolean)) {
            if (node instanceof File) return undefined;
            node = node?.entries.get(name);
        }
        return node;
    }

    #node(path: string): Node {
        const node = this.#find(path);
        if (node === undefined) throw failure("ENOENT", path);
        return node;
    }

    #file(path: string): File {
        const node = this.#node(path);
        if (node instanceof Directory) throw failure("EISDIR", path);
        return node;
    }

    #directory(path: string): Directory {
        const node = this.#node(path);
        if (node instanceof File) throw failure("ENOTDIR", path);
        return node;
    }
}

function sizeOf(node: Node): number {
    if (node instanceof File) return node.content.length;
    return [...node.entries.values()].reduce((sum, entry) => sum + sizeOf(entry), 0);
}

function fingerprintOf(node: Node): string {
    if (node instanceof File) return Buffer.from(node.content).toString("latin1");
    const all = [...node.entries.keys()].toSorted((a, b) => (a < b ? -1 : 1));
    const names = all.filter((name) => !name.startsWith("lock-"));
    return JSON.stringify(names.map((name) => [name, fingerprintOf(node.entries.get(name) ?? new Directory())]));
}

function survivingDirectory(directory: Directory, survival: Survival): Directory {
    const names = new Map(directory.durable);
    const { pending } = directory;
    const survives: Readonly<Record<Names, (at: number) => boolean>> = {
        none: () => false,
        half: (at) => at < pending.length / 2,
        all: () => true,
        even: (at) => at % 2 === 0,
        odd: (at) => at % 2 === 1,
    };
    for (const [at, change] of pending.entries()) if (survives[survival.names](at)) change(names);
    const after = new Directory();
    for (const [name, node] of names) {
        const survivor = node instanceof File ? survivingFile(node, survival) : survivingDirectory(node, survival);
        after.change((entries) => entries.set(name, survivor));
    }
    after.sync();
    return after;
}

function survivingFile({ durable, content, modifiedAt }: File, { bytes }: Survival): File {
    const file = new File();
    file.content = survivingBytes(durable, content, bytes);
    file.durable = file.content;
    file.modifiedAt = modifiedAt;
    return file;
}

function survivingBytes(durable: Uint8Array<ArrayBuffer>, content: Uint8Array<ArrayBuffer>, bytes: Bytes) {
    // What was cut off and not synced may be back.
    if (content.length <= durable.length) return bytes === "none" ? durable : content;
    const added = content.length - durable.length;
    if (bytes === "zeros") {
        const padded = new Uint8Array(content.length);
        padded.set(durable);
        return padded;
    }
    const survivors = { none: 0, first: 1, half: Math.floor(added / 2), "all but one": added - 1, all: added };
    return content.slice(0, durable.length + survivors[bytes]);
}
