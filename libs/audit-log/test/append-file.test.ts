import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AppendFile, type AppendHandle } from "../src/append-file.ts";

/** A disk that writes less than it is given and fails when it is told to. */
class FailingDisk implements Pick<AppendHandle, "datasync" | "truncate" | "close"> {
    content = Buffer.alloc(0);
    /** How many more operations succeed. */
    left = Infinity;

    async write(bytes: Buffer, at: number): Promise<{ bytesWritten: number }> {
        this.#operate();
        const bytesWritten = Math.ceil((bytes.length - at) / 2);
        this.content = Buffer.concat([this.content, bytes.subarray(at, at + bytesWritten)]);
        return { bytesWritten };
    }
    async datasync(): Promise<void> {
        this.#operate();
    }
    async truncate(size = 0): Promise<void> {
        this.#operate();
        this.content = this.content.subarray(0, size);
    }
    async close(): Promise<void> {
        // Nothing is held.
    }
    #operate(): void {
        if (this.left <= 0)
            throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
        this.left -= 1;
    }
}

test("whatever fails and when, the file has exactly what was acknowledged", async () => {
    const step = fc.record({ text: fc.string({ minLength: 1, maxLength: 20 }), left: fc.option(fc.nat({ max: 8 })) });
    await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
            const disk = new FailingDisk();
            const file = new AppendFile(disk as unknown as AppendHandle, 0); // one of write's overloads is all that is used
            let acknowledged = "";
            for (const { text, left } of steps) {
                disk.left = left ?? Infinity;
                const isOnDisk = await file.append(text).then(
                    () => true,
                    () => false,
                );
                if (isOnDisk) acknowledged += text;
                assert.equal(file.size, Buffer.byteLength(acknowledged));
            }
            disk.left = Infinity;
            await file.append("!");
            assert.equal(disk.content.toString("utf8"), `${acknowledged}!`);
            disk.left = 0;
            await assert.rejects(file.append("lost"), /ENOSPC/);
            disk.left = Infinity;
            await file.close();
            assert.equal(disk.content.toString("utf8"), `${acknowledged}!`, "closing cuts off what was left");
        }),
        { numRuns: 300 },
    );
});
