// Writes docs/benchmarks.md again from kept results: `node_modules/.bin/node bench/write-document.ts RESULTS`.
import { readFileSync } from "node:fs";
import { ConfigError } from "@postern/errors";
import { writeDocument } from "./report/document.ts";
import type { Results } from "./report/results.ts";

const [file] = process.argv.slice(2);
if (file === undefined) throw new ConfigError("CONFIG_INVALID", "usage: write-document.ts RESULTS");
writeDocument(JSON.parse(readFileSync(file, "utf8")) as Results); // of report/results.ts
