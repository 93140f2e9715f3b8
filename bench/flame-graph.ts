// `perf record -g -p PID -o data -- sleep 5; perf script -i data | node_modules/.bin/node bench/flame-graph.ts "title" >graph.svg`
import { text } from "node:stream/consumers";
import { flameGraph } from "./report/flame-graph.ts";

process.stdout.write(flameGraph(process.argv[2] ?? "", await text(process.stdin)));
