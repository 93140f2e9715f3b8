// The client's habits that a server gets to see, and what the client itself refuses.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { concatBytes, encodeLatin1, toHex } from "@postern/bytes";
import {
    CLIENT_PROFILES,
    type ClientLinkOptions,
    encodeFrame,
    ntPasswordHash,
    PROTOCOL,
    verifyMschapv2,
} from "@postern/ppp";
import { encodeControlPacket } from "../src/control-packet.ts";
import { decodeOptions, encodeOptions } from "../src/options.ts";
import { DIGESTS } from "./support/digests.ts";
import { decideByPassword, PASSWORD, World } from "./support/world.ts";

/** Header and options, spaced; the magic number is drawn. */
const firstRequest = (client: Partial<ClientLinkOptions>): string => {
    const [payload = new Uint8Array(0)] = new World({ client }).start().sent("client", PROTOCOL.lcp, 1);
    const options = decodeOptions(payload.subarray(4)).map((option) => toHex(encodeOptions([option])));
    return [toHex(payload.subarray(0, 4)), ...options].join(" ").replace(/0506[0-9a-f]{8}/, "0506mmmmmmmm");
};

describe("the first LCP request", () => {
    test("of Windows, identifier 0 and the options of a capture", () => {
        const profile = CLIENT_PROFILES.windows;
        assert.equal(firstRequest({ profile }), "01000015 01040ffb 0506mmmmmmmm 0702 0802 0d0306");
    });
    test("of pppd", () => {
        const profile = CLIENT_PROFILES.sstpc;
        assert.equal(firstRequest({ profile }), "01010014 020600000000 0506mmmmmmmm 0702 0802");
    });
    test("of Open SSTP: its MRU and nothing else", () => {
        assert.equal(firstRequest({ profile: CLIENT_PROFILES.openSstp }), "01000008 010405dc");
    });
    test("of RouterOS", () => {
        assert.equal(firstRequest({ profile: CLIENT_PROFILES.routerOs }), "0101000e 010405dc 0506mmmmmmmm");
    });
});

describe("Windows", () => {
    test("counts all protocols with one counter", () => {
        const world = new World().start();
        const ids = [PROTOCOL.lcp, PROTOCOL.ipv6cp, PROTOCOL.ipcp]
            .flatMap((protocol) => [1, 12].flatMap((code) => world.sent("client", protocol, code)))
            .map((payload) => payload[1] ?? 0);
        assert.equal(new Set(ids).size, ids.length);
        assert.equal(Math.max(...ids), ids.length - 1);
    });

    test("leaves out headers where the server agreed, but for its farewell", () => {
        const world = new World().start();
        world.client.terminate("user");
        world.settle();
        const own = world.frames
            .filter(({ from }) => from === "client")
            .map(({ frame }) => toHex(frame.subarray(0, 4)));
        assert.equal(own[0], "ff03c021");
        assert.ok(own.some((head) => head.startsWith("8021")));
        assert.equal(own.at(-1), "ff03c021");
        assert.equal(
            new World({ client: { profile: CLIENT_PROFILES.routerOs } }).start().client.compressesHeaders,
            false,
        );
    });
});

describe("Open SSTP", () => {
    const profile = CLIENT_PROFILES.openSstp;

    test("rejects our magic number, Naks a small MRU, and connects", () => {
        const world = new World({ client: { profile }, server: { mru: 1400 } }).start();
        assert.equal(world.sent("client", PROTOCOL.lcp, 4).length, 1);
        assert.equal(world.sent("client", PROTOCOL.lcp, 3).length, 1);
        assert.equal(world.server.ipv4Open, true);
        assert.equal(world.client.peerMru, 1500, "without the option it is the default");
    });

    test("ends at a Protocol-Reject, as when a server has no IPv6", () => {
        const ipv4 = { serverAddress: "192.0.2.1", clientAddress: "192.0.2.77", dns: [], nbns: [] };
        const world = new World({ client: { profile }, network: { ipv4 } }).start().run(10_000);
        assert.equal(world.closed.client?.reason, "lcp-refused");
    });

    test("waits three seconds for an answer", () => {
        const world = new World({ client: { profile }, decide: () => undefined }).start().run(3000).run(10_000);
        assert.equal(world.closed.client?.reason, "authentication-timeout");
        assert.equal(world.closed.server?.reason, "terminated-by-peer");
    });
});

describe("any client", () => {
    test("ends the link when the server will not give it an address", () => {
        const fate = (side: string): readonly number[] => (side === "server" && ipcpAsked() ? [] : [0]);
        const world: World = new World({ client: { profile: CLIENT_PROFILES.routerOs }, fate });
        const ipcpAsked = (): boolean => world.sent("client", PROTOCOL.ipcp, 1).length > 0;
        world.start();
        const [request = new Uint8Array(0)] = world.sent("client", PROTOCOL.ipcp, 1);
        world.inject("client", encodeFrame(PROTOCOL.ipcp, concatBytes(Uint8Array.of(4), request.subarray(1))));
        world.run(10_000);
        assert.equal(world.closed.client?.reason, "no-network-protocol");
    });

    test("does not stay with a server that cannot prove itself", () => {
        const message = `S=${"00".repeat(20)}`;
        const world = new World({ decide: () => ({ outcome: "success", message }) }).start().run(10_000);
        assert.equal(world.closed.client?.reason, "server-not-verified");
        assert.equal(world.hlak, undefined);
        assert.equal(world.client.ipv4, undefined);
    });

    test("takes an S= in lower case and a text after it, and answers a second challenge", () => {
        let asked = 0;
        const world = new World({
            decide: (attempt) => {
                const result = decideByPassword(attempt);
                if ((asked += 1) === 1) return { outcome: "challenge-again" };
                if (result.outcome !== "success") return result;
                return { outcome: "success", message: `${result.message.replace("S=", "s=").toLowerCase()} M=welcome` };
            },
        });
        // The server insists on "S=" itself.
        assert.throws(() => world.start());
        const kind = new World({
            decide: (attempt) => {
                const result = decideByPassword(attempt);
                if (result.outcome !== "success") return result;
                return { outcome: "success", message: `S=${result.message.slice(2).toLowerCase()} M=welcome` };
            },
        });
        assert.equal(kind.start().server.ipv4Open, true);
        assert.equal(asked, 2);
    });

    test("asks for the address it was told to ask for, and takes the one it gets", () => {
        const world = new World({ client: { address: "10.1.2.3" } }).start();
        const [request] = world.sent("client", PROTOCOL.ipcp, 1);
        assert.match(toHex(request ?? new Uint8Array(0)), /03060a010203/);
        assert.equal(world.client.ipv4?.address, "192.0.2.77");
    });

    test("repeats its credentials until they are answered", () => {
        let lost = 0;
        const world: World = new World({
            server: { authentication: ["pap"] },
            client: { profile: CLIENT_PROFILES.routerOs },
            fate: (side) => {
                const isRequest = side === "client" && world.client.phase === "authenticate";
                return isRequest && (lost += 1) === 1 ? [] : [0];
            },
        });
        world.start();
        assert.equal(world.server.phase, "authenticate");
        world.run(3000);
        assert.deepEqual([world.attempts.length, world.server.ipv4Open], [1, true]);
    });

    test("gives up a server that never answers", () => {
        const world = new World({ fate: (side) => (side === "server" ? [] : [0]) });
        world.start().run(31_000);
        assert.equal(world.closed.client?.reason, "lcp-timeout");
    });

    test("answers a challenge also when it is in, and that changes nothing", () => {
        const world = new World().start();
        const challenge = Uint8Array.of(1, 0x77, 0, 4 + 17, 16, ...new Uint8Array(16).fill(9));
        world.inject("client", encodeFrame(PROTOCOL.chap, challenge));
        const response = world.sent("client", PROTOCOL.chap, 2).at(-1) ?? assert.fail();
        assert.equal(response[1], 0x77);
        const again = { user: "User", challenge: new Uint8Array(16).fill(9), response: response.slice(5, 5 + 49) };
        const { message } = verifyMschapv2(DIGESTS, ntPasswordHash(PASSWORD), again) ?? assert.fail();
        const success = encodeControlPacket({ code: 3, identifier: 0x77, data: encodeLatin1(message) });
        world.inject("client", encodeFrame(PROTOCOL.chap, success));
        assert.equal(world.log.filter((entry) => entry === "client authenticated").length, 1);
    });

    test("does not stay with a server that does not ask who it is", () => {
        const world = new World();
        world.client.start();
        const [request] = world.sent("client", PROTOCOL.lcp, 1);
        assert.ok(request !== undefined);
        world.client.onFrame(PROTOCOL.lcp, Uint8Array.of(1, 1, 0, 4));
        world.client.onFrame(PROTOCOL.lcp, Uint8Array.of(2, ...request.subarray(1)));
        world.run(10_000);
        assert.equal(world.closed.client?.reason, "authentication-not-agreed");
    });
});
