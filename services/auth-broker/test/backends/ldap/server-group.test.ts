// Two directories and fifty logins a second, with the time limits that an installation has: whatever the first one does, nobody is kept
// out whom the second one lets in, and nobody is let in by an answer that is not for his question.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createCertificateAuthority, type Slapd, startSlapd } from "@postern/testkit";
import { forOthers, startBrokenDirectory, type Spoil } from "./broken-directory.ts";
import { ldapRig, type LdapRig, login, reasonOf } from "./ldap-rig.ts";

const LOGINS = 150;
/** Milliseconds between two of them. */
const INTERVAL = 20;
/** Three times what `serverTimeout` gives the first server, milliseconds. */
const LONGEST = 6_000;
const password = randomBytes(12).toString("base64url");
const servicePassword = randomBytes(12).toString("base64url");
const authority = await createCertificateAuthority("LDAP authority");
const options = { users: [{ uid: "alice", password }], authority, servicePassword };

let second: Slapd;
before(async () => (second = await startSlapd(options)));
after(() => second[Symbol.asyncDispose]());

/** Every other one of the logins knows the password, and nobody else may be let in. */
async function assertAllServed(rig: LdapRig, what: string): Promise<void> {
    const logins: Promise<void>[] = [];
    for (let index = 0; index < LOGINS; index += 1) {
        const isRight = index % 2 === 0;
        const begun = performance.now();
        logins.push(
            login(rig, "alice", isRight ? password : `${password}x`).then((verdict) => {
                assert.equal(reasonOf(verdict), isRight ? "accept" : "bad-credentials", what);
                const elapsed = performance.now() - begun;
                assert.ok(elapsed < LONGEST, `${what}: a login took ${elapsed} ms`);
            }),
        );
        await delay(INTERVAL);
    }
    await Promise.all(logins);
}

const found = ({ counted }: LdapRig): number => counted.filter((line) => line.endsWith(" false")).length;

test("while the first server is stopped, and when it is killed, the second one decides about every login", async () => {
    const faulty = await startSlapd(options);
    after(() => faulty[Symbol.asyncDispose]());
    const rig = await ldapRig([faulty.ldaps, second.ldaps], second);
    await assertAllServed(rig, "both serve");
    assert.equal(found(rig), 0);
    faulty.pause();
    await assertAllServed(rig, "stopped");
    assert.equal(found(rig), 1);
    await faulty.kill();
    await assertAllServed(rig, "killed");
});

const SPOILT: Readonly<Record<string, Spoil>> = {
    "answers after three seconds": (answer, send) => void setTimeout(() => send(answer), 3_000).unref(),
    "answers to other questions, each of them a success": (answer, send) => send(forOthers(answer)),
    "answers that are not LDAP": (answer, send) => send(randomBytes(answer.length)),
    "answers that never end": (answer, send) => {
        send(answer.subarray(0, 5));
    },
};

for (const [fault, spoil] of Object.entries(SPOILT)) {
    test(`${fault}: nobody is let in by them, and nobody kept out`, async () => {
        const broken = await startBrokenDirectory(second, authority, spoil);
        after(() => broken[Symbol.asyncDispose]());
        const rig = await ldapRig([broken.url, second.ldaps], second);
        await assertAllServed(rig, fault);
        assert.ok(found(rig) > 0, "the first one was asked");
    });
}
