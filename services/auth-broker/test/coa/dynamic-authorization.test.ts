import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { AuthStateRecord } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { ATTRIBUTE, CODE, valuesOf } from "@postern/radius";
import { KeptLog } from "@postern/testkit";
import { ClientList } from "../../src/coa/client-list.ts";
import { DynamicAuthorization, type DynamicRules } from "../../src/coa/dynamic-authorization.ts";
import type { IgnoredReason } from "../../src/coa/dynamic-metrics.ts";
import type { DynamicRequest } from "../../src/coa/dynamic-request.ts";
import { refuse, type Refusal } from "../../src/coa/error-cause.ts";
import { radiusDigests } from "@postern/radius-client";
import { RequestClaims } from "../../src/coa/request-claims.ts";
import { MemoryBucket } from "../memory-bucket.ts";
import { testClock } from "../test-clock.ts";
import { eventTimestamp, proxyState, readAnswer, signed, signedTwice, user } from "./radius-packets.ts";

const SECRET = randomBytes(16);
const SOURCE = "192.0.2.9";
const HOUR = 3_600_000;

const RULES: DynamicRules = {
    target: {
        names: { caseSensitive: false, ownDomains: [], otherDomains: "keep" },
        nasIdentifiers: ["postern"],
        nasAddresses: [],
    },
    messageAuthenticator: "if-present",
    window: 300_000,
    timestampRequired: false,
    repeatsKept: 24 * HOUR,
    outstanding: 8,
};

/** Brokers that share a store; `perform` is what registry and workers make of a request. */
function world(
    changes: Partial<DynamicRules> = {},
    perform: (request: DynamicRequest) => Promise<number | Refusal> = async () => Promise.resolve(1),
) {
    const clock = testClock();
    clock.fake.advance(Date.UTC(2026, 0, 1) - clock.now());
    const bucket = new MemoryBucket<AuthStateRecord>(clock);
    const performed: DynamicRequest[] = [];
    const ignored: IgnoredReason[] = [];
    const outcomes: string[] = [];
    const log = new KeptLog();
    const counts = { repeated: 0 };
    const broker = (replica: string): DynamicAuthorization =>
        new DynamicAuthorization({
            clock,
            rules: { ...RULES, ...changes },
            clients: new ClientList([{ source: "192.0.2.0/24", secret: SECRET }]),
            digests: radiusDigests,
            claims: new RequestClaims({ bucket, replica }),
            effects: {
                perform(request) {
                    performed.push(request);
                    return perform(request);
                },
            },
            metrics: {
                ignored: (reason) => void ignored.push(reason),
                answered: (_request, outcome) => void outcomes.push(outcome),
                repeated: () => void (counts.repeated += 1),
            },
            log,
            lines: { add: (message, _source, fields) => log.info(fields, message) },
        });
    return { clock, bucket, one: broker("a1"), two: broker("a2"), performed, ignored, outcomes, counts, log };
}

test("a request that fits a session is done and acknowledged, with its Proxy-State in order", async () => {
    const { one, performed, outcomes } = world();
    const sent = signed([user("alice"), proxyState("first"), proxyState("second")], SECRET);
    const answer = await one.answer(sent, SOURCE);
    assert.ok(answer);
    const { code, errorCause, packet } = readAnswer(answer, sent, SECRET);
    assert.deepEqual([code, errorCause], [CODE.disconnectAck, undefined]);
    assert.deepEqual(
        valuesOf(packet.attributes, ATTRIBUTE.proxyState).map((value) => Buffer.from(value).toString()),
        ["first", "second"],
    );
    assert.deepEqual(
        performed.map(({ target }) => target.filter),
        [{ principal: "alice" }],
    );
    assert.deepEqual(outcomes, ["ack"]);
});

test("a refusal says why, and has no effect", async () => {
    const { one, performed, outcomes } = world();
    const sent = signed(
        [user("alice"), proxyState("p"), { type: ATTRIBUTE.nasPort, value: new Uint8Array(4) }],
        SECRET,
    );
    const answer = await one.answer(sent, SOURCE);
    assert.ok(answer);
    const { code, errorCause, packet } = readAnswer(answer, sent, SECRET);
    assert.deepEqual([code, errorCause], [CODE.disconnectNak, 401]);
    assert.equal(valuesOf(packet.attributes, ATTRIBUTE.proxyState).length, 1);
    assert.deepEqual([performed, outcomes], [[], ["401"]]);
    const lost = world({}, async () => Promise.resolve(refuse("sessionContextNotFound", "")));
    const other = signed([user("alice")], SECRET);
    const nak = await lost.one.answer(other, SOURCE);
    assert.ok(nak);
    assert.equal(readAnswer(nak, other, SECRET).errorCause, 503);
});

test("who does not show the secret, in time and from an allowed address, gets no answer and has no effect", async () => {
    const { clock, one, performed, ignored, log } = world();
    const right = signedTwice([user("alice"), eventTimestamp(clock.now())], SECRET);
    const flipped = Uint8Array.from(right);
    // In the Message-Authenticator: the Request Authenticator no longer fits either.
    flipped[25] = (flipped[25] ?? 0) ^ 1;
    const cases: readonly (readonly [IgnoredReason, Uint8Array, string])[] = [
        ["unknown-source", right, "198.51.100.1"],
        ["not-authentic", signed([user("alice")], randomBytes(16)), SOURCE],
        ["not-authentic", flipped, SOURCE],
        ["malformed", right.subarray(0, 30), SOURCE],
        ["malformed", new Uint8Array(0), SOURCE],
        ["not-a-request", signed([user("alice")], SECRET, CODE.disconnectAck), SOURCE],
        ["timestamp", signed([user("alice"), eventTimestamp(clock.now() - 302_000)], SECRET), SOURCE],
        ["timestamp", signed([user("alice"), eventTimestamp(clock.now() + 302_000)], SECRET), SOURCE],
        ["malformed", signed([user("alice"), eventTimestamp(0), eventTimestamp(0)], SECRET), SOURCE],
    ];
    for (const [reason, datagram, source] of cases) {
        assert.equal(await one.answer(datagram, source), undefined, reason);
        assert.equal(ignored.at(-1), reason);
    }
    assert.equal(ignored.length, cases.length);
    assert.equal(log.lines.length, cases.length);
    assert.deepEqual(performed, []);
    assert.ok(await one.answer(right, SOURCE), "the very same bytes unharmed");
});

test("a Message-Authenticator and an Event-Timestamp can be demanded", async () => {
    const { clock, one, ignored } = world({ messageAuthenticator: "required", timestampRequired: true });
    const stamp = eventTimestamp(clock.now());
    assert.equal(await one.answer(signed([user("alice"), stamp], SECRET), SOURCE), undefined);
    assert.equal(await one.answer(signedTwice([user("alice")], SECRET), SOURCE), undefined);
    assert.ok(await one.answer(signedTwice([user("alice"), stamp], SECRET), SOURCE));
    assert.deepEqual(ignored, ["not-authentic", "timestamp"]);
});

test("the same request again, at any broker and from any allowed address, gets the same bytes and has no second effect", async () => {
    const { one, two, performed, counts } = world();
    const sent = signed([user("alice")], SECRET);
    const first = await one.answer(sent, SOURCE);
    assert.ok(first);
    for (const [broker, source] of [
        [one, SOURCE],
        [two, SOURCE],
        [two, "192.0.2.200"],
    ] as const) {
        assert.deepEqual(await broker.answer(sent, source), first);
    }
    // Padding behind the packet (RFC 2865 §3) makes no other request of it.
    assert.deepEqual(await two.answer(Uint8Array.of(...sent, 0, 0), SOURCE), first);
    assert.deepEqual([performed.length, counts.repeated], [1, 4]);
});

test("a request that two brokers get at once is done by one of them", async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const { one, two, performed, ignored } = world({}, () => promise);
    const sent = signed([user("alice")], SECRET);
    const answers = [one.answer(sent, SOURCE), two.answer(sent, SOURCE)];
    assert.equal(await Promise.race(answers), undefined);
    resolve(1);
    assert.equal((await Promise.all(answers)).filter(Boolean).length, 1);
    assert.deepEqual([performed.length, ignored], [1, ["in-progress"]]);
    assert.deepEqual(await one.answer(sent, SOURCE), await two.answer(sent, SOURCE));
    assert.equal(performed.length, 1);
});

test("a replay an hour later: refused by its own timestamp, and without one answered from memory", async () => {
    const { clock, one, performed, ignored } = world();
    const stamped = signed([user("alice"), eventTimestamp(clock.now())], SECRET);
    const plain = signed([user("alice")], SECRET);
    const answers = [await one.answer(stamped, SOURCE), await one.answer(plain, SOURCE)];
    assert.ok(answers[0] && answers[1]);
    clock.fake.advance(HOUR);
    assert.equal(await one.answer(stamped, SOURCE), undefined);
    assert.deepEqual(ignored, ["timestamp"]);
    assert.deepEqual(await one.answer(plain, SOURCE), answers[1]);
    assert.equal(performed.length, 2);
});

test("a timestamp at the edge of the window is remembered for as long as it is in time", async () => {
    const { clock, one, performed } = world();
    const early = signed([user("alice"), eventTimestamp(clock.now() + 300_000)], SECRET);
    const first = await one.answer(early, SOURCE);
    clock.fake.advance(600_000);
    assert.deepEqual(await one.answer(early, SOURCE), first);
    clock.fake.advance(1_000);
    assert.equal(await one.answer(early, SOURCE), undefined);
    assert.equal(performed.length, 1);
});

test("while registry, workers or store do not answer nothing is, and the next repetition is done", async () => {
    let failure: Error | undefined = new DependencyError("BUS_TIMEOUT", "the registry is silent");
    const { one, two, bucket, performed, ignored } = world({}, async () => {
        await Promise.resolve();
        if (failure !== undefined) throw failure;
        return 1;
    });
    const sent = signed([user("alice")], SECRET);
    assert.equal(await one.answer(sent, SOURCE), undefined);
    failure = undefined;
    bucket.failure = new DependencyError("BUS_UNAVAILABLE", "no leader");
    assert.equal(await one.answer(sent, SOURCE), undefined);
    bucket.failure = undefined;
    assert.deepEqual(ignored, ["unavailable", "unavailable"]);
    assert.ok(await two.answer(sent, SOURCE));
    assert.equal(performed.length, 2);
});

test("a broker that died with a request keeps it from the others only for a while", async () => {
    const { clock, one, two, performed } = world({}, () =>
        performed.length === 1 ? new Promise<never>(() => undefined) : Promise.resolve(1),
    );
    const sent = signed([user("alice")], SECRET);
    void one.answer(sent, SOURCE);
    assert.equal(await two.answer(sent, SOURCE), undefined);
    clock.fake.advance(15_000);
    assert.ok(await two.answer(sent, SOURCE));
});

test("more requests than may be worked at are ignored", async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const { one, ignored } = world({ outstanding: 2 }, () => promise);
    const open = [one.answer(signed([user("a")], SECRET), SOURCE), one.answer(signed([user("b")], SECRET), SOURCE)];
    assert.equal(await one.answer(signed([user("c")], SECRET), SOURCE), undefined);
    assert.deepEqual(ignored, ["overloaded"]);
    resolve(1);
    assert.ok((await Promise.all(open)).every(Boolean));
    assert.ok(await one.answer(signed([user("d")], SECRET), SOURCE));
});
