import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromHex, toHex } from "@postern/bytes";
import { decodeControlPacket } from "../src/control-packet.ts";
import { EapClient, type EapPeer } from "../src/eap-client.ts";
import { DIGESTS } from "./support/digests.ts";

const IDENTITY_REQUEST = "0101000501";
const CHALLENGE = "0102000704aabb";
const SUCCESS = "03020004";

/** A client whose peer answers as `respond` says; what it sends and reports, in order. */
function rig(respond: EapPeer["respond"], { isDone = true } = {}) {
    const seen: string[] = [];
    const peer: EapPeer = { respond, hlak: isDone ? new Uint8Array(32) : undefined, refusal: undefined };
    const client = new EapClient({ user: "alice", password: "" }, 10_000, peer, {
        send: (packet) => seen.push(`sent ${toHex(packet)}`),
        startTimer: () => undefined,
        stopTimer: () => undefined,
        random: (size) => new Uint8Array(size),
        digests: DIGESTS,
        succeeded: () => seen.push("succeeded"),
        failed: (reason) => seen.push(`failed ${reason}`),
    });
    return { client, seen, say: (hex: string): boolean => client.onPacket(decodeControlPacket(fromHex(hex))) };
}

/** Answers with the request's own data and no thought. */
function echo(request: Uint8Array): Uint8Array {
    const response = Uint8Array.from(request);
    response[0] = 2;
    return response;
}

describe("EAP, the client's end", () => {
    test("a repeated Request gets the same Response without asking the peer again", () => {
        let asked = 0;
        const { seen, say } = rig((request) => ((asked += 1), echo(request)));
        assert.ok(say(CHALLENGE));
        assert.ok(say(CHALLENGE));
        assert.deepEqual(seen, ["sent 0202000704aabb", "sent 0202000704aabb"]);
        assert.equal(asked, 1);
    });

    test("a Request that the peer does not answer is of no use", () => {
        const { seen, say } = rig(() => undefined);
        assert.equal(say(IDENTITY_REQUEST), false);
        assert.deepEqual(seen, []);
    });

    test("a peer that needs time answers later, once, however often it is asked", async () => {
        const { promise, resolve } = Promise.withResolvers<Uint8Array>();
        let asked = 0;
        const { seen, say } = rig(() => ((asked += 1), promise));
        assert.ok(say(CHALLENGE));
        assert.ok(say(CHALLENGE));
        assert.deepEqual(seen, []);
        resolve(echo(fromHex(CHALLENGE)));
        await promise;
        assert.deepEqual(seen, ["sent 0202000704aabb"]);
        assert.ok(say(CHALLENGE));
        assert.deepEqual([seen.length, asked], [2, 1]);
    });

    test("what comes too late, because the server has gone on or the link is down, is not sent", async () => {
        for (const goOn of ["0103000501", undefined]) {
            const { promise, resolve } = Promise.withResolvers<Uint8Array>();
            const { client, seen, say } = rig((request) => (request[1] === 2 ? promise : echo(request)));
            say(CHALLENGE);
            if (goOn === undefined) client.stop();
            else say(goOn);
            resolve(echo(fromHex(CHALLENGE)));
            await promise;
            assert.deepEqual(seen, goOn === undefined ? [] : ["sent 0203000501"]);
        }
    });

    test("Success counts only when the peer has a key", () => {
        const done = rig(echo);
        done.say(SUCCESS);
        assert.deepEqual(done.seen, ["succeeded"]);
        const early = rig(echo, { isDone: false });
        early.say(SUCCESS);
        assert.deepEqual(early.seen, ["failed server-not-verified"]);
    });
});
