import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { hashesOf } from "../src/certificate-hashes.ts";
import { CertificateStore } from "../src/certificates.ts";
import { CertificateFolder } from "./certificate-files.ts";
import { hex, LIFETIME, shakeHands, ticketKeys, TLS } from "./handshake.ts";

const NAMES = ["vpn.example.test"] as const;
const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;
const ECDSA = "ecdsa_secp256r1_sha256";
/** What OpenSSL offers by itself. */
const DEFAULT = "";
const RSA = "rsa_pss_rsae_sha256:rsa_pkcs1_sha256";

/** Files of an RSA and an ECDSA certificate, a secret, a clock, and workers that have them all. */
async function world() {
    const folder = await CertificateFolder.create();
    const clock = { now: Date.now() };
    const secret = randomBytes(32);
    const rsa = await folder.write("rsa", NAMES, "rsa");
    const ecdsa = await folder.write("ecdsa", NAMES);
    return {
        folder,
        clock,
        rsa: hex([hashesOf(rsa.der)]),
        ecdsa: hex([hashesOf(ecdsa.der)]),
        worker: (keys = ticketKeys(secret, () => clock.now)) =>
            new CertificateStore([{ names: [], pairs: [rsa, ecdsa] }], TLS, keys),
        renew: async (keyType: "rsa" | "ecdsa") => hex([hashesOf((await folder.write(keyType, NAMES, keyType)).der)]),
        [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
}

/** Breaks the ticket in a session and leaves the name of its key. */
function damaged(session: Buffer, keyName: Buffer): Buffer {
    const copy = Buffer.from(session);
    const at = copy.indexOf(keyName) + keyName.length + 20;
    assert.ok(at > keyName.length + 19, "the ticket names its key");
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
}

for (const maxVersion of VERSIONS) {
    test(`${maxVersion}: ECDSA is served wherever the client can, RSA where it cannot`, async () => {
        await using w = await world();
        const store = w.worker();
        for (const [sigalgs, keyType, certificate] of [
            [DEFAULT, "ec", w.ecdsa],
            [`${RSA}:${ECDSA}`, "ec", w.ecdsa],
            [ECDSA, "ec", w.ecdsa],
            [RSA, "rsa", w.rsa],
        ] as const) {
            const options = sigalgs === DEFAULT ? { maxVersion } : { maxVersion, sigalgs };
            const { shown, seen, keyType: served } = await shakeHands(store, options);
            assert.equal(served, keyType, sigalgs);
            assert.deepEqual(shown, certificate, sigalgs);
            assert.deepEqual(seen, shown, sigalgs);
        }
    });

    test(`${maxVersion}: every worker with the secret resumes, whichever certificate the ticket began with`, async () => {
        await using w = await world();
        for (const sigalgs of [RSA, ECDSA]) {
            const first = await shakeHands(w.worker(), { maxVersion, sigalgs });
            assert.equal(first.resumed, false);
            const again = await shakeHands(w.worker(), { maxVersion, session: first.ticket });
            assert.equal(again.resumed, true);
            assert.deepEqual(again.seen, [...w.rsa, ...w.ecdsa]);
            assert.equal(again.tickets.length, 0, "a ticket would be renewed without end");
        }
    });

    test(`${maxVersion}: another secret resumes nothing`, async () => {
        await using w = await world();
        const { ticket } = await shakeHands(w.worker(), { maxVersion });
        const stranger = w.worker(ticketKeys(randomBytes(32), () => w.clock.now));
        assert.equal((await shakeHands(stranger, { maxVersion, session: ticket })).resumed, false);
    });

    test(`${maxVersion}: keys change each lifetime, and a ticket is good to the end of the next`, async () => {
        await using w = await world();
        const periodEnd = Math.ceil(w.clock.now / LIFETIME) * LIFETIME;
        const store = w.worker();
        w.clock.now = periodEnd - 1;
        const last = await shakeHands(store, { maxVersion });
        w.clock.now = periodEnd;
        const first = await shakeHands(store, { maxVersion });
        assert.notDeepEqual(first.keyName, last.keyName);
        w.clock.now = periodEnd + LIFETIME - 1;
        for (const worker of [store, w.worker()])
            assert.equal((await shakeHands(worker, { maxVersion, session: last.ticket })).resumed, true);
        w.clock.now = periodEnd + LIFETIME;
        for (const worker of [store, w.worker()]) {
            assert.equal((await shakeHands(worker, { maxVersion, session: last.ticket })).resumed, false);
            assert.equal((await shakeHands(worker, { maxVersion, session: first.ticket })).resumed, true);
        }
    });

    test(`${maxVersion}: a clock that is put back finds its keys`, async () => {
        await using w = await world();
        const store = w.worker();
        const { ticket } = await shakeHands(store, { maxVersion });
        w.clock.now += 5 * LIFETIME;
        assert.equal((await shakeHands(store, { maxVersion, session: ticket })).resumed, false);
        w.clock.now -= 5 * LIFETIME;
        assert.equal((await shakeHands(store, { maxVersion, session: ticket })).resumed, true);
    });

    test(`${maxVersion}: a certificate that was replaced counts for as long as a ticket lives, and no longer`, async () => {
        await using w = await world();
        const store = w.worker();
        const first = await shakeHands(store, { maxVersion });
        const renewed = await w.renew("ecdsa");
        assert.ok(store.reload());
        const replacedAt = w.clock.now;
        const again = await shakeHands(store, { maxVersion, session: first.ticket });
        assert.equal(again.resumed, true);
        assert.deepEqual(again.seen.toSorted(), [...w.rsa, ...w.ecdsa, ...renewed].toSorted());
        const later = await shakeHands(store, { maxVersion });
        assert.deepEqual(later.seen, renewed);
        const laterAgain = await shakeHands(store, { maxVersion, session: later.ticket });
        assert.equal(laterAgain.resumed, true);
        assert.deepEqual(laterAgain.seen, [...w.rsa, ...renewed], "its owner cannot have been shown the old one");
        // What is replaced once more does not make the oldest young again.
        w.clock.now = replacedAt + LIFETIME / 2;
        const newest = await w.renew("ecdsa");
        assert.ok(store.reload());
        const halfway = await shakeHands(store, { maxVersion, session: first.ticket });
        assert.equal(halfway.resumed, true);
        assert.deepEqual(halfway.seen.toSorted(), [...w.rsa, ...w.ecdsa, ...renewed, ...newest].toSorted());
        w.clock.now = replacedAt + LIFETIME;
        const tooLate = await shakeHands(store, { maxVersion, session: first.ticket });
        assert.equal(tooLate.resumed, false);
        assert.deepEqual(tooLate.seen, newest);
        assert.deepEqual(tooLate.shown, newest);
    });

    test(`${maxVersion}: a bad ticket of a replaced certificate leads to the new one, and so do the tickets that follow`, async () => {
        await using w = await world();
        const store = w.worker();
        const first = await shakeHands(store, { maxVersion });
        const renewed = await w.renew("ecdsa");
        assert.ok(store.reload());
        assert.ok(first.ticket);
        const anew = await shakeHands(store, { maxVersion, session: damaged(first.ticket, first.keyName) });
        assert.equal(anew.resumed, false);
        assert.deepEqual(anew.shown, renewed);
        assert.deepEqual(anew.seen, renewed);
        const again = await shakeHands(store, { maxVersion, session: anew.ticket });
        assert.equal(again.resumed, true);
        assert.ok(again.seen.includes(renewed[0] ?? ""));
    });

    test(`${maxVersion}: a certificate that comes back is joined by the one that was there meanwhile`, async () => {
        await using w = await world();
        const store = w.worker();
        const kept = ["ecdsa.pem", "ecdsa.key"].map((name) => w.folder.read(name));
        const first = await shakeHands(store, { maxVersion });
        const between = await w.renew("ecdsa");
        assert.ok(store.reload());
        assert.ok(first.ticket);
        const bad = await shakeHands(store, { maxVersion, session: damaged(first.ticket, first.keyName) });
        assert.deepEqual(bad.shown, between);
        for (const [name, content] of [
            ["ecdsa.pem", kept[0]],
            ["ecdsa.key", kept[1]],
        ] as const)
            w.folder.replace(w.folder.path(name), content ?? "");
        assert.ok(store.reload());
        const again = await shakeHands(store, { maxVersion, session: bad.ticket });
        assert.equal(again.resumed, true);
        assert.deepEqual(again.seen, [...w.rsa, ...w.ecdsa, ...between]);
        w.clock.now += LIFETIME;
        const late = await shakeHands(store, { maxVersion, session: bad.ticket });
        assert.ok(!late.seen.includes(between[0] ?? ""));
    });

    test(`${maxVersion}: a new secret voids every ticket, also those of a replaced certificate`, async () => {
        await using w = await world();
        const secret = randomBytes(32);
        const keys = ticketKeys(secret, () => w.clock.now);
        const store = w.worker(keys);
        const old = await shakeHands(store, { maxVersion });
        await w.renew("ecdsa");
        assert.ok(store.reload());
        const current = await shakeHands(store, { maxVersion });
        assert.equal(keys.replaceSecret(secret), false);
        assert.equal((await shakeHands(store, { maxVersion, session: current.ticket })).resumed, true);
        assert.equal(keys.replaceSecret(randomBytes(32)), true);
        for (const session of [old.ticket, current.ticket])
            assert.equal((await shakeHands(store, { maxVersion, session })).resumed, false);
        await w.renew("rsa");
        assert.ok(store.reload());
        assert.equal((await shakeHands(store, { maxVersion, session: current.ticket })).resumed, false);
    });
}

test("files that change all the time leave a few old keys, the newest", async () => {
    await using w = await world();
    const store = w.worker();
    const tickets: (Buffer | undefined)[] = [];
    for (let change = 0; change < 12; change += 1) {
        tickets.push((await shakeHands(store)).ticket);
        w.clock.now += 1_000;
        await w.renew("ecdsa");
        assert.ok(store.reload());
    }
    const resumed: boolean[] = [];
    for (const session of tickets) resumed.push((await shakeHands(store, { session })).resumed);
    assert.equal(resumed.at(-1), true);
    assert.equal(resumed[0], false);
});

test("tickets of TLS 1.3 alone, where those of TLS 1.2 are not wanted", async () => {
    await using w = await world();
    const store = w.worker(ticketKeys(randomBytes(32), () => w.clock.now, { tls12: false }));
    const older = await shakeHands(store, { maxVersion: "TLSv1.2" });
    assert.equal((await shakeHands(store, { maxVersion: "TLSv1.2", session: older.ticket })).resumed, false);
    const { ticket } = await shakeHands(store);
    assert.equal((await shakeHands(store, { session: ticket })).resumed, true);
});
