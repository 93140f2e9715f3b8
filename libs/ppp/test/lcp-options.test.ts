// What `lcp.test.ts` cannot see from outside: LCP options over more than one negotiation.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex } from "@postern/bytes";
import { CompressionOption, MagicOption, MruOption } from "../src/lcp-options.ts";

test("what the peer leaves out the second time is the default again", () => {
    const mru = new MruOption(4091);
    mru.accepted(fromHex("0ffb"));
    assert.equal(mru.peer, 4091);
    mru.accepted(undefined);
    assert.equal(mru.peer, 1500);

    const magic = new MagicOption(() => fromHex("01020304"));
    magic.accepted(fromHex("0a0b0c0d"));
    magic.accepted(undefined);
    assert.equal(magic.peer, 0);

    const compression = new CompressionOption(7, false);
    compression.accepted(new Uint8Array(0));
    assert.equal(compression.peerAsked, true);
    compression.accepted(undefined);
    assert.equal(compression.peerAsked, false);
});

test("our MRU is 1500 once the peer wants the option left out", () => {
    const mru = new MruOption(4091);
    assert.deepEqual([mru.ours, mru.request()], [4091, fromHex("0ffb")]);
    mru.naked();
    assert.deepEqual([mru.ours, mru.request()], [1500, undefined]);
});

test("a magic number is never zero, which would mean none", () => {
    const magic = new MagicOption((size) => new Uint8Array(size));
    assert.deepEqual(magic.request(), fromHex("00000001"));
    magic.rejected();
    magic.naked();
    assert.deepEqual([magic.request(), magic.ours], [undefined, 0]);
});
