import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { DependencyError } from "@postern/errors";
import type { Link } from "../src/link.ts";
import { placeConnection, type PlacementPorts } from "../src/place-connection.ts";

const LINK: Link = { closed: new Promise(() => undefined), close: () => undefined };
const CLIENT = { address: "192.0.2.1", port: 1 };

/** `opens` says what becomes of a connection that a worker is given. */
function world(workers: readonly string[], opens: (worker: string) => Link | undefined | Error) {
    const socket = { destroyed: false };
    const told: string[] = [];
    const ports: PlacementPorts = {
        policy: { choose: ([first]) => first },
        directory: {
            candidates: (except) =>
                workers
                    .filter((worker) => except?.has(worker) !== true)
                    .map((worker) => ({ worker, sessions: 0, capacity: 1 })),
            endpointOf: (worker) => ({ host: worker, port: 1 }),
            given: (worker) => void told.push(`given ${worker}`),
            failed: (worker) => void told.push(`failed ${worker}`),
        },
        link: {
            open: async ({ endpoint }) => {
                const outcome = opens(endpoint.host);
                if (outcome instanceof Error) throw outcome;
                return outcome;
            },
        },
        onRetry: (worker) => void told.push(`retry ${worker}`),
    };
    const opening = { socket: socket as Socket, bytes: new Uint8Array(0) } as never; // all that placement looks at
    const introduced = { client: CLIENT, local: CLIENT, kind: "client" } as const;
    const request = { connection: "c", opening, introduced, onEnding: () => undefined };
    return { socket, told, place: () => placeConnection(request, ports) };
}

const REFUSED = new DependencyError("WORKER_UNREACHABLE", "no");

test("the next worker is asked when one does not take it, each once", async () => {
    const { place, told } = world(["a", "b", "c"], (worker) => (worker === "c" ? LINK : REFUSED));
    assert.deepEqual(await place(), { worker: "c", link: LINK });
    assert.deepEqual(told, ["failed a", "retry a", "failed b", "retry b", "given c"]);
});

test("after a few nobody else is asked, and with none nobody", async () => {
    const many = world(["a", "b", "c", "d", "e"], () => REFUSED);
    assert.equal(await many.place(), "no-worker");
    assert.equal(many.told.filter((line) => line.startsWith("failed")).length, 4);
    assert.equal(await world([], () => LINK).place(), "no-worker");
});

test("a client that has gone is nobody's fault", async () => {
    const gone = world(["a"], () => undefined);
    assert.equal(await gone.place(), "client-gone");
    assert.deepEqual(gone.told, []);
    const meanwhile = world(["a", "b"], () => {
        meanwhile.socket.destroyed = true;
        return REFUSED;
    });
    assert.equal(await meanwhile.place(), "client-gone");
    assert.deepEqual(meanwhile.told, ["failed a", "retry a"]);
});

test("a defect is not taken for a worker's failure", async () => {
    const { place } = world(["a", "b"], () => new TypeError("a defect"));
    await assert.rejects(place(), TypeError);
});
