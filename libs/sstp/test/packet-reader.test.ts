import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { concatBytes, fromHex, toHex } from "@postern/bytes";
import {
    encodeDataPacket,
    encodeHeader,
    HEADER_SIZE,
    packetKind,
    PacketReader,
    packetSize,
    type PacketSink,
    SstpError,
} from "@postern/sstp";
import { type PushDecoder, testPushDecoder } from "@postern/testkit";

interface Received {
    readonly kind: "control" | "data";
    /** A control packet with its header, a data packet without. */
    readonly bytes: Uint8Array;
}

class Collector implements PacketSink {
    received: Received[] = [];

    onControlPacket(bytes: Uint8Array, start: number, end: number): void {
        this.received.push({ kind: "control", bytes: Uint8Array.from(bytes.subarray(start, end)) });
    }

    onDataPacket(bytes: Uint8Array, start: number, end: number): void {
        this.received.push({ kind: "data", bytes: Uint8Array.from(bytes.subarray(start, end)) });
    }

    take(): Received[] {
        const { received } = this;
        this.received = [];
        return received;
    }
}

function encode({ kind, bytes }: Received): Uint8Array {
    if (kind === "control") return bytes;
    return encodeDataPacket(bytes);
}

function control(body: Uint8Array): Received {
    const bytes = new Uint8Array(HEADER_SIZE + body.length);
    encodeHeader(bytes, 0, "control", body.length);
    bytes.set(body, HEADER_SIZE);
    return { kind: "control", bytes };
}

/** What was delivered before an error counts, so it is handed on before the error. */
function createDecoder(): PushDecoder<Received> {
    const collector = new Collector();
    const reader = new PacketReader(collector);
    return {
        *push(chunk) {
            let failure: SstpError | undefined;
            try {
                reader.push(chunk);
            } catch (error) {
                if (!(error instanceof SstpError)) throw error;
                failure = error;
            }
            yield* collector.take();
            if (failure !== undefined) throw failure;
        },
    };
}

testPushDecoder<Received>({
    name: "packet reader",
    create: createDecoder,
    encode,
    vectors: [
        { name: "data", hex: "10000008 21450000", value: { kind: "data", bytes: fromHex("21450000") } },
        { name: "no payload", hex: "10000004", value: { kind: "data", bytes: new Uint8Array(0) } },
        { name: "echo", hex: "10010008 00080000", value: { kind: "control", bytes: fromHex("10010008 00080000") } },
        {
            name: "control with reserved bits, which a compound MAC covers",
            hex: "10ffa008 00080000",
            value: { kind: "control", bytes: fromHex("10ffa008 00080000") },
        },
    ],
    malformed: [
        { name: "version", hex: "20000004", code: "SSTP_BAD_VERSION" },
        { name: "length", hex: "10000002", code: "SSTP_BAD_LENGTH" },
        { name: "text", hex: "48545450 2f312e31", code: "SSTP_BAD_VERSION" },
    ],
    arbitrary: fc.oneof(
        fc.uint8Array({ maxLength: 40 }).map((bytes): Received => ({ kind: "data", bytes })),
        fc.uint8Array({ maxLength: 40 }).map((body) => control(body)),
    ),
    isOwnError: (error) => error instanceof SstpError && error.answer === undefined,
});

describe("data path", () => {
    test("a thousand packets in one chunk are delivered in place", () => {
        const packet = encodeDataPacket(fromHex("21450000"));
        const chunk = concatBytes(...Array.from({ length: 1000 }, () => packet));
        const starts: number[] = [];
        const reader = new PacketReader({
            onControlPacket: () => assert.fail("no control packet was sent"),
            onDataPacket(bytes, start, end) {
                assert.equal(bytes, chunk);
                assert.equal(end - start, 4);
                starts.push(start);
            },
        });
        reader.push(chunk);
        assert.deepEqual(
            starts,
            Array.from({ length: 1000 }, (_, index) => index * 8 + 4),
        );
    });

    test("packets of every size up to 4095, cut at random", () => {
        const packets = fc.array(fc.integer({ min: 0, max: 4091 }), { minLength: 1, maxLength: 6 });
        fc.assert(
            fc.property(packets, fc.array(fc.integer({ min: 1, max: 5000 })), (sizes, cuts) => {
                const frames = sizes.map((size, index) => new Uint8Array(size).fill(index + 1));
                const stream = concatBytes(...frames.map((frame) => encodeDataPacket(frame)));
                const collector = new Collector();
                const reader = new PacketReader(collector);
                let at = 0;
                for (const cut of [...cuts, stream.length]) {
                    reader.push(stream.subarray(at, at + cut));
                    at += cut;
                }
                assert.deepEqual(
                    collector.received.map(({ bytes }) => bytes),
                    frames,
                );
                assert.equal(reader.tail.length, 0);
            }),
            { numRuns: 100 },
        );
    });
});

/** Takes whole packets of `size` octets itself, several at once. */
class Taker extends Collector {
    readonly #size: number;

    constructor(size: number) {
        super();
        this.#size = size;
    }

    takeData(bytes: Uint8Array, from: number, end: number): number {
        let at = from;
        while (end - at >= this.#size && packetSize(bytes, at) === this.#size && packetKind(bytes, at) === "data") {
            this.onDataPacket(bytes, at + HEADER_SIZE, at + this.#size);
            at += this.#size;
        }
        return at;
    }
}

describe("a sink that takes data itself", () => {
    test("sees the same packets in the same order, however the stream is cut, also those put together from pieces", () => {
        const mine = (fill: number): Uint8Array => encodeDataPacket(new Uint8Array(20).fill(fill));
        const stream = concatBytes(
            ...[1, 2, 3].map(mine),
            control(fromHex("00080000")).bytes,
            mine(4),
            encodeDataPacket(new Uint8Array(9).fill(5)),
            mine(6),
        );
        const expected = new Collector();
        new PacketReader(expected).push(stream);
        assert.equal(expected.received.length, 7);
        for (let size = 1; size <= stream.length; size += 1) {
            const taker = new Taker(24);
            const reader = new PacketReader(taker);
            for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size));
            assert.deepEqual(taker.received, expected.received, `pieces of ${size}`);
            assert.equal(reader.tail.length, 0);
        }
    });

    test("is not asked any more once reading has stopped", () => {
        const taker = new Taker(24);
        const reader = new PacketReader(taker);
        const packet = encodeDataPacket(new Uint8Array(20));
        reader.push(concatBytes(packet, packet.subarray(0, 10)));
        reader.stop();
        reader.push(packet.subarray(10));
        reader.push(packet);
        assert.equal(taker.received.length, 1);
    });
});

describe("hand-over", () => {
    test("another reader goes on from the tail, wherever the stream is cut", () => {
        const stream = concatBytes(
            encodeDataPacket(fromHex("ff0300214500")),
            fromHex("10010008 00090000"),
            encodeDataPacket(new Uint8Array(300).fill(9)),
        );
        const whole = new Collector();
        new PacketReader(whole).push(stream);
        for (let cut = 0; cut <= stream.length; cut += 1) {
            const collector = new Collector();
            const before = new PacketReader(collector);
            before.push(stream.subarray(0, cut));
            const after = new PacketReader(collector, before.tail);
            assert.deepEqual(after.tail, before.tail);
            after.push(stream.subarray(cut));
            assert.deepEqual(collector.received, whole.received, `cut at ${cut}`);
        }
    });

    test("the tail is a copy", () => {
        const reader = new PacketReader(new Collector());
        reader.push(fromHex("10000006 aa"));
        const { tail } = reader;
        reader.push(fromHex("bb 10"));
        assert.equal(toHex(tail), "10000006aa");
        assert.equal(toHex(reader.tail), "10");
    });

    test("a tail that is no unfinished packet is refused", () => {
        const restore = (hex: string) => new PacketReader(new Collector(), fromHex(hex));
        assert.throws(() => restore("10000004"), { code: "INVARIANT" });
        assert.throws(() => restore("10000005 21 10"), { code: "INVARIANT" });
        assert.throws(() => restore(`10000ffe${"00".repeat(4092)}`), { code: "INVARIANT" });
        assert.throws(() => restore("99000005"), { code: "SSTP_BAD_VERSION" });
    });
});

test("a packet in one piece is delivered in the chunk, one in two pieces in the reader's buffer", () => {
    const sources: Uint8Array[] = [];
    const reader = new PacketReader({
        onControlPacket: () => assert.fail("no control packet was sent"),
        onDataPacket: (bytes) => sources.push(bytes),
    });
    const first = Buffer.from("1000000521 1000".replaceAll(" ", ""), "hex");
    const second = Buffer.from("000522 1000000523".replaceAll(" ", ""), "hex");
    reader.push(first);
    reader.push(second);
    assert.equal(sources[0], first);
    assert.ok(sources[1] !== first && sources[1] !== second);
    assert.equal(sources[2], second);
});

test("after stop() nothing more is delivered, not even from the chunk in hand", () => {
    const collector = new Collector();
    const reader = new PacketReader({
        onControlPacket(bytes, start, end) {
            collector.onControlPacket(bytes, start, end);
            reader.stop();
        },
        onDataPacket: (bytes, start, end) => collector.onDataPacket(bytes, start, end),
    });
    reader.push(fromHex("10000005 21  10010008 00070000  10000005 22  1000"));
    reader.push(fromHex("0005 23"));
    assert.deepEqual(
        collector.received.map(({ bytes }) => toHex(bytes)),
        ["21", "1001000800070000"],
    );
});
