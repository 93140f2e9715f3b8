// file-server-main.ts ADDRESS PORT: GET /<n> sends n bytes; PUT answers with the number and SHA-256 of what it took.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { keyStream } from "./key-stream.ts";

const [address = "", port = ""] = process.argv.slice(2);

const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
});
server.listen(Number(port), address, () => process.stdout.write("listening\n"));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "PUT") {
        const hash = createHash("sha256");
        let bytes = 0;
        for await (const chunk of request) {
            hash.update(chunk);
            bytes += chunk.length;
        }
        response.end(JSON.stringify({ bytes, sha256: hash.digest("hex") }));
    } else {
        const size = Number((request.url ?? "/").slice(1));
        response.setHeader("Content-Length", size);
        await pipeline(Readable.from(keyStream(size)), response);
    }
}
