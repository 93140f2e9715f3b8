// file-server-main.ts ADDRESS PORT: GET /<n> sends n bytes; PUT answers with the digest of what it took.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { keyStream } from "./key-stream.ts";
import { digestStream } from "./stream-digest.ts";

const [address = "", port = ""] = process.argv.slice(2);

const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
});
server.listen(Number(port), address, () => process.stdout.write("listening\n"));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "PUT") {
        response.end(JSON.stringify(await digestStream(request)));
    } else {
        const size = Number((request.url ?? "/").slice(1));
        response.setHeader("Content-Length", size);
        await pipeline(Readable.from(keyStream(size)), response);
    }
}
