// Writes docs/asyncapi.json and the generated part of docs/events.md: node tools/write-asyncapi.ts
import { readFileSync, writeFileSync } from "node:fs";
import { asyncApiText, renewedPage } from "./events-document.ts";

const file = (name: string): URL => new URL(`../${name}`, import.meta.url);
const { version } = JSON.parse(readFileSync(file("package.json"), "utf8")) as { version: string }; // npm's form
writeFileSync(file("docs/asyncapi.json"), asyncApiText(version));
writeFileSync(file("docs/events.md"), renewedPage(readFileSync(file("docs/events.md"), "utf8")));
