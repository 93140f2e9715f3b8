import assert from "node:assert/strict";
import { test } from "node:test";
import type { BanRecord } from "@postern/contracts";
import { testBucket } from "./bucket-suite.ts";
import { MemoryBucket } from "./memory-bucket.ts";

testBucket("in memory", {
    setup: async () => ({ bucket: new MemoryBucket<BanRecord>(), teardown: () => Promise.resolve() }),
});
void test;
void assert;
