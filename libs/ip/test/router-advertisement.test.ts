import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "@postern/errors";
import {
    ipv6Network,
    parseCidr,
    parseIpv6,
    readRouterAdvertisement,
    type RouterAdvertisement,
    routerAdvertisement,
} from "@postern/ip";
import { slowParse, transportChecksumResidue } from "./slow-model.ts";

const ROUTER = parseIpv6("fe80::1");
const HOST = parseIpv6("fe80::aabb:ccff:fe00:2");

const EMPTY = {
    hopLimit: 64,
    otherConfiguration: false,
    routerLifetime: 1,
    mtu: undefined,
    nameServers: undefined,
} as const;

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 });
const advertisements: fc.Arbitrary<RouterAdvertisement> = fc.record({
    hopLimit: fc.nat(255),
    otherConfiguration: fc.boolean(),
    routerLifetime: fc.nat(65_535),
    mtu: fc.option(u32, { nil: undefined }),
    prefixes: fc.array(
        fc.record({
            prefix: fc.nat(65_535).map((index) => {
                const block = parseCidr("fd12:3456:789a::/48");
                return block.version === 6 ? ipv6Network(block, index) : assert.fail();
            }),
            validLifetime: u32,
            preferredLifetime: u32,
        }),
        { maxLength: 3 },
    ),
    nameServers: fc.option(fc.record({ addresses: fc.array(bytes16, { minLength: 1, maxLength: 3 }), lifetime: u32 }), {
        nil: undefined,
    }),
});

const plain = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value, (_key, one: unknown) => (one instanceof Uint8Array ? [...one] : one)));

test("what was said is what is read, and the packet is one that a host takes", () => {
    fc.assert(
        fc.property(advertisements, (said) => {
            const packet = routerAdvertisement(ROUTER, HOST, said);
            assert.deepEqual(plain(readRouterAdvertisement(packet)), plain(said));
            const parsed = slowParse(packet) ?? assert.fail();
            assert.deepEqual([packet[7], transportChecksumResidue(parsed)], [255, 0]);
            assert.deepEqual(parsed.source, Buffer.from(ROUTER));
            assert.deepEqual(parsed.destination, Buffer.from(HOST));
        }),
    );
});

test("the octets are those of RFC 4861 and RFC 8106", () => {
    const block = parseCidr("2001:db8:0:5::/64");
    assert.ok(block.version === 6);
    const packet = routerAdvertisement(ROUTER, parseIpv6("ff02::1"), {
        hopLimit: 64,
        otherConfiguration: true,
        routerLifetime: 9_000,
        mtu: 1_400,
        prefixes: [{ prefix: block, validLifetime: 2_592_000, preferredLifetime: 604_800 }],
        nameServers: { addresses: [parseIpv6("2001:db8::53")], lifetime: 9_000 },
    });
    const { payload } = slowParse(packet) ?? assert.fail();
    const [header, mtu, prefix, servers] = [
        payload?.toString("hex", 0, 16),
        payload?.toString("hex", 16, 24),
        payload?.toString("hex", 24, 56),
        payload?.toString("hex", 56),
    ];
    assert.equal(header?.replace(/^(8600)....(.*)$/, "$1....$2"), "8600....404023280000000000000000");
    assert.equal(mtu, "0501000000000578");
    // /64, autonomous and not on-link.
    assert.equal(prefix, "0304404000278d0000093a800000000020010db8000000050000000000000000");
    assert.equal(servers, "190300000000232820010db8000000000000000000000053");
});

test("from elsewhere, or with a wrong checksum, it is none; options that are not known or not whole are passed over", () => {
    const said = { ...EMPTY, prefixes: [] };
    const global = routerAdvertisement(parseIpv6("2001:db8::1"), HOST, said);
    assert.equal(readRouterAdvertisement(global), undefined);
    const damaged = routerAdvertisement(ROUTER, HOST, said);
    damaged[45] = 1;
    assert.equal(readRouterAdvertisement(damaged), undefined);
    const odd = [
        [200, 1, 1, 2, 3, 4, 5, 6],
        [5, 2, 0, 0, 0, 0, 5, 120, 0, 0, 0, 0, 0, 0, 0, 0],
        [25, 2, 0, 0, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8],
        [25, 1, 0, 0, 0, 0, 0, 9],
        // On-link, and no addresses of one's own.
        [3, 4, 64, 0x80, ...new Uint8Array(28)],
        [3, 4, 129, 0x40, ...new Uint8Array(28)],
    ];
    const base = Buffer.from(routerAdvertisement(ROUTER, HOST, said));
    const packet = Buffer.concat([base, Buffer.from(odd.flat())]);
    packet.writeUInt16BE(packet.length - 40, 4);
    packet.writeUInt16BE(0, 42);
    packet.writeUInt16BE(transportChecksumResidue(slowParse(packet) ?? assert.fail()), 42);
    assert.deepEqual(readRouterAdvertisement(packet), said);
});

test("bits behind a prefix do not count", () => {
    const block = parseCidr("2001:db8:0:5::/64");
    assert.ok(block.version === 6);
    const network = parseIpv6("2001:db8:0:5::77");
    const said = EMPTY;
    const prefix = { prefix: { ...block, network }, validLifetime: 1, preferredLifetime: 1 };
    const read = readRouterAdvertisement(routerAdvertisement(ROUTER, HOST, { ...said, prefixes: [prefix] }));
    assert.deepEqual(plain(read?.prefixes[0]?.prefix), plain(block));
    const nameServers = { addresses: [new Uint8Array(4)], lifetime: 1 };
    assert.throws(() => routerAdvertisement(ROUTER, HOST, { ...said, prefixes: [], nameServers }), InvariantError);
});

test("whatever comes is read or not, and nothing is thrown", () => {
    const changes = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 5 });
    fc.assert(
        fc.property(advertisements, changes, fc.nat(400), (said, changed, cut) => {
            const packet = Uint8Array.from(routerAdvertisement(ROUTER, HOST, said));
            for (const [at, value] of changed) if (at < packet.length) packet[at] = value;
            // So that what is behind the checksum is looked at, too.
            const parsed = slowParse(packet);
            if (parsed?.payload !== undefined && parsed.payload.length >= 4 && changed.length < 4) {
                const view = Buffer.from(packet.buffer);
                view.writeUInt16BE(0, 42);
                view.writeUInt16BE(transportChecksumResidue(slowParse(packet) ?? assert.fail()), 42);
            }
            readRouterAdvertisement(packet);
            readRouterAdvertisement(packet.subarray(0, cut));
        }),
        { numRuns: 500 },
    );
});
