import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, inOwnNamespace, waitForValue } from "@postern/testkit";
import { FIELDS, ROW } from "../src/addon.ts";
import { decodeRow, tcpInfo } from "../src/path-figures.ts";
import { connectLoopback, filterInput, stopFiltering } from "./loopback.ts";

inOwnNamespace(import.meta.filename, () => {
    test("a connection that lost nothing says so, and what it carried", async () => {
        using pair = await connectLoopback();
        const bytes = 300_000;
        pair.near.resume();
        pair.far.write(Buffer.alloc(bytes));
        await eventually(() => assert.equal(pair.near.bytesRead, bytes));
        await eventually(() => assert.equal(tcpInfo(pair.far)?.bytesAcked, bytes));
        const figures = await waitForValue(() => {
            const now = tcpInfo(pair.far);
            // Where the host is slow, a probe may have sent a segment again that was not lost; it is told so.
            return now?.inFlight === 0 && now.retransmits === now.duplicates ? now : undefined;
        });
        const { rtt = 0, rttVariation = -1, minRtt = 0, segmentsOut = 0, segmentSize = 0, window = 0 } = figures;
        assert.ok(rtt > 0 && rtt < 10_000 && minRtt > 0 && minRtt <= rtt && rttVariation >= 0);
        assert.ok(segmentsOut * segmentSize >= bytes && window > 0);
        assert.deepEqual([figures.lost, figures.notSent], [0, 0]);
        assert.ok((tcpInfo(pair.near)?.segmentsIn ?? 0) > 0);
    });

    test("segments that the network loses are counted where they were sent, and where they were missed", async () => {
        using pair = await connectLoopback();
        pair.near.resume();
        filterInput(`tcp sport ${pair.port} numgen random mod 100 < 10 drop`);
        try {
            const bytes = 6_000_000;
            pair.far.write(Buffer.alloc(bytes));
            await eventually(() => assert.equal(pair.near.bytesRead, bytes), { within: 60_000 });
            const { retransmits = 0, duplicates = 0, segmentsOut = 0 } = tcpInfo(pair.far) ?? {};
            assert.ok(retransmits > 0 && retransmits < segmentsOut, `${retransmits} of ${segmentsOut}`);
            assert.ok(duplicates <= retransmits);
            assert.ok((tcpInfo(pair.near)?.outOfOrder ?? 0) > 0);
        } finally {
            stopFiltering();
        }
    });

    test("segments on their way to nobody are in flight, then lost", async () => {
        using pair = await connectLoopback();
        filterInput(`tcp sport ${pair.port} drop`);
        try {
            pair.far.write("anybody there?");
            await eventually(() => assert.ok((tcpInfo(pair.far)?.inFlight ?? 0) > 0));
            await eventually(() => assert.ok((tcpInfo(pair.far)?.retransmits ?? 0) > 0));
        } finally {
            stopFiltering();
        }
    });

    test("a closed socket and a missing addon have no figures", async () => {
        using pair = await connectLoopback();
        assert.equal(tcpInfo(pair.far, { kind: "unavailable", reason: "not built" }), undefined);
        pair.far.destroy();
        assert.equal(tcpInfo(pair.far), undefined);
    });

    test("a row has its fields in order, times in milliseconds, and none that the kernel does not know", () => {
        const row = Float64Array.from(FIELDS, (_, index) => 1_000 * (index + 1));
        row[FIELDS.indexOf("outOfOrder")] = Number.NaN;
        const padded = new Float64Array(3 * ROW).fill(Number.NaN);
        padded.set(row, ROW);
        assert.deepEqual(decodeRow(padded, ROW), {
            rtt: 1,
            rttVariation: 2,
            minRtt: 3,
            segmentsOut: 4_000,
            retransmits: 5_000,
            duplicates: 6_000,
            lost: 7_000,
            segmentsIn: 8_000,
            outOfOrder: undefined,
            bytesAcked: 10_000,
            notSent: 11_000,
            inFlight: 12_000,
            window: 13_000,
            segmentSize: 14_000,
            deliveryRate: 15_000,
        });
        assert.equal(decodeRow(padded, 0), undefined);
    });
});
