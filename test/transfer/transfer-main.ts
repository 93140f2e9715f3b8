// transfer-main.ts down|up URL SIZE: fetches that many bytes from a file server, or sends them to it, and prints what arrived at the
// receiving end.
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { json } from "node:stream/consumers";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { keyStream } from "../interop/key-stream.ts";
import { digestStream, type StreamDigest } from "../interop/stream-digest.ts";

const [direction = "", url = "", size = ""] = process.argv.slice(2);

console.log(JSON.stringify(await (direction === "up" ? upload() : download())));

async function download(): Promise<StreamDigest> {
    const asking = request(new URL(size, url)).end();
    const [response] = (await once(asking, "response")) as [IncomingMessage]; // of node:http
    return digestStream(response);
}

async function upload(): Promise<StreamDigest> {
    const sending = request(url, { method: "PUT", headers: { "Content-Length": size } });
    const answered = once(sending, "response") as Promise<[IncomingMessage]>; // of node:http
    await pipeline(Readable.from(keyStream(Number(size))), sending);
    const [response] = await answered;
    return (await json(response)) as StreamDigest; // of the file server
}
