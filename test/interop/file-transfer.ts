// Files through the tunnel, both ways, with checksums.
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { fileURLToPath } from "node:url";
import { keyStreamCommand, keyStreamSha256 } from "./key-stream.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
import { ADDRESSES } from "./topology.ts";
import type { Guest } from "./user-mode-linux.ts";

const PROGRAM = fileURLToPath(new URL("file-server-main.ts", import.meta.url));
const PORT = 8080;
const TRANSFER_LIMIT_MS = 120_000;

export interface Transfer {
    readonly bytes: number;
    readonly sha256: string;
    /** What the checksum must be. */
    readonly expected: string;
    readonly megabitsPerSecond: number;
}

/** Starts the server on the `inside` host, at one of its addresses; it ends with the namespace.  Resolves with its URL. */
export async function startFileServer(inside: NetworkNamespace, address: string = ADDRESSES.inside): Promise<string> {
    const { NODE_TEST_CONTEXT: _runner, ...env } = process.env;
    const server = inside.spawn(process.execPath, [PROGRAM, address, String(PORT)], {
        env,
        stdio: ["ignore", "pipe", "inherit"],
    });
    if (server.stdout === null) throw new Error("the file server has no output");
    await once(server.stdout, "data");
    return urlOf(address);
}

const urlOf = (address: string): string => `http://${isIPv6(address) ? `[${address}]` : address}:${PORT}/`;

/** The guest fetches `size` bytes from the inside host, at one of its addresses. */
export async function download(guest: Guest, size: number, address: string = ADDRESSES.inside): Promise<Transfer> {
    const curl = `curl -sS --fail -o /tmp/download -w '%{time_total}\\n' '${urlOf(address)}${size}'`;
    const output = await guest.expect(
        `${curl} && stat -c %s /tmp/download && sha256sum </tmp/download && rm /tmp/download`,
        TRANSFER_LIMIT_MS,
    );
    const [seconds, bytes, sha256 = ""] = output.split(/\s+/u);
    return transfer(Number(seconds), Number(bytes), sha256, size);
}

/** The guest sends `size` bytes to the inside host. */
export async function upload(guest: Guest, size: number, address: string = ADDRESSES.inside): Promise<Transfer> {
    await guest.expect(`${keyStreamCommand(size)} >/tmp/upload`);
    const curl = `curl -sS --fail -T /tmp/upload -w '\\n%{time_total}' '${urlOf(address)}'`;
    const output = await guest.expect(`${curl} && rm /tmp/upload`, TRANSFER_LIMIT_MS);
    const [answer = "", seconds] = output.split("\n");
    const { bytes, sha256 }: { bytes: number; sha256: string } = JSON.parse(answer);
    return transfer(Number(seconds), bytes, sha256, size);
}

function transfer(seconds: number, bytes: number, sha256: string, size: number): Transfer {
    return { bytes, sha256, expected: keyStreamSha256(size), megabitsPerSecond: (bytes * 8) / 1e6 / seconds };
}
