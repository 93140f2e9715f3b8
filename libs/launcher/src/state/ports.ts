// Loopback ports for an installation: chosen once, written to postern.yaml, then kept.
import { randomInt } from "node:crypto";
import { DependencyError } from "@postern/errors";
import { refusalToListen } from "./host.ts";

/** Below the range that Linux takes source ports from, so that no outgoing connection has taken one meanwhile. */
const FIRST = 20_000;
const LAST = 31_999;
const BLOCK = 20;
const ATTEMPTS = 200;

/** The first of `count` ports in a row that are free on 127.0.0.1; random, so that installations keep out of each other's way. */
export async function freeLoopbackPorts(count: number, random: (below: number) => number = randomInt): Promise<number> {
    const blocks = Math.floor((LAST + 1 - FIRST) / BLOCK);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const first = FIRST + random(blocks) * BLOCK;
        const ports = Array.from({ length: count }, (_, index) => first + index);
        const refusals = await Promise.all(ports.map((port) => refusalToListen(port, "127.0.0.1")));
        if (refusals.every((refusal) => refusal === undefined)) return first;
    }
    throw new DependencyError("STATE_NO_PORTS", `${ATTEMPTS} places between ${FIRST} and ${LAST} were tried`);
}
