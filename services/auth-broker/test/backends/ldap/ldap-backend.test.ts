import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { DependencyError } from "@postern/errors";
import { createCertificateAuthority, eventually, groupDn, startSlapd, userDn, type Slapd } from "@postern/testkit";
import { testAuthBackend } from "../../backend-suite.ts";
import { attempt, ldapRig, type LdapRig, login, never, reasonOf } from "./ldap-rig.ts";

const secret = (): string => randomBytes(12).toString("base64url");
const passwords = { alice: secret(), umlaut: `${secret()}ÄÖ(*)\\` };
const servicePassword = secret();
const authority = await createCertificateAuthority("LDAP authority");
const users = [
    { uid: "Alice", password: passwords.alice },
    { uid: "st*r", password: passwords.umlaut },
    { uid: "twin", unit: "a", password: passwords.alice },
    { uid: "twin", unit: "b", password: passwords.alice },
    { uid: "locked", password: passwords.alice, attributes: [["pwdAccountLockedTime", "000001010000Z"]] as const },
    { uid: "reset", password: passwords.alice, attributes: [["pwdReset", "TRUE"]] as const },
    { uid: "expired", password: passwords.alice, attributes: [["shadowExpire", "1"]] as const },
];
const groups = [
    { cn: "staff", members: [userDn({ uid: "Alice" })] },
    { cn: "vpn (all)", members: [groupDn("staff")] },
    { cn: "everybody", members: [groupDn("vpn (all)")] },
    { cn: "circle", members: [groupDn("everybody"), groupDn("circle")] },
    { cn: "others", members: [userDn({ uid: "st*r" })] },
];
const options = { users, groups, authority, servicePassword };
const [first, second] = await Promise.all([startSlapd(options), startSlapd(options)]);
const impostor = await startSlapd({ ...options, certificateName: "other.postern.test" });
after(async () => {
    for (const server of [first, second, impostor]) await server[Symbol.asyncDispose]();
});

const rig = (
    servers: readonly string[],
    more = "",
    home: Pick<Slapd, "caFile" | "passwordFile"> = first,
): Promise<LdapRig> => ldapRig(servers, home, more);

for (const [name, url] of [
    ["ldaps", first.ldaps],
    ["StartTLS", first.ldap],
] as const) {
    test(`${name}: the password decides, the principal is the directory's, groups are nested ones too`, async () => {
        const member = await rig([url]);
        for (const claimed of ["alice", "ALICE", "corp\\Alice", "alice@CORP"]) {
            const verdict = await login(member, claimed, passwords.alice);
            assert.ok(verdict.outcome === "accept", JSON.stringify(verdict));
            assert.deepEqual(verdict.policy, {}, "policies decide");
            assert.equal(verdict.principal, "alice");
            assert.deepEqual([...verdict.groups].sort(), ["circle", "everybody", "staff", "vpn (all)"]);
        }
        assert.equal(reasonOf(await login(member, "alice", "wrong")), "bad-credentials");
        assert.equal(reasonOf(await login(member, "nobody", passwords.alice)), "unknown-user");
        assert.equal(member.counted.filter((outcome) => outcome === "accept").length, 4);
    });
}

test("a name is no filter, and passwords may have any character", async () => {
    const member = await rig([first.ldaps]);
    const star = await login(member, "st*r", passwords.umlaut);
    assert.ok(star.outcome === "accept" && star.principal === "st*r");
    for (const name of ["*", "a*", "alice)(uid=*", "\\2a", "al\0ice", "\uFFFD", "\uD800", ""]) {
        assert.equal(reasonOf(await login(member, name, passwords.alice)), "unknown-user", JSON.stringify(name));
    }
});

test("an empty password is refused before any bind, and so is what is not UTF-8", async () => {
    const member = await rig([first.ldaps]);
    assert.equal(reasonOf(await login(member, "alice", "")), "bad-credentials");
    const bytes = { ...attempt("alice", "x").credentials, password: Uint8Array.of(0xff) };
    assert.equal(
        reasonOf(await member.backend.authenticate({ ...attempt("alice", "x"), credentials: bytes }, never)),
        "bad-credentials",
    );
    assert.deepEqual(
        member.counted.filter((outcome) => !outcome.includes(":")),
        [],
        "no server was asked",
    );
});

for (const [user, reason] of [
    ["twin", "unknown-user"],
    ["locked", "account-locked"],
    ["reset", "password-expired"],
    ["expired", "account-disabled"],
] as const) {
    test(`${user} is refused as ${reason}`, async () => {
        const member = await rig([first.ldaps]);
        const verdict = await login(member, user, passwords.alice);
        assert.equal(reasonOf(verdict), reason);
        assert.ok(!JSON.stringify(verdict).includes(passwords.alice));
    });
}

test("groups beyond a bound refuse the login: rights could be missing", async () => {
    for (const bound of ["groupLimit: 2", "groupDepth: 2"]) {
        const member = await rig([first.ldaps], bound);
        await assert.rejects(login(member, "alice", passwords.alice), /LDAP_TOO_MANY_GROUPS/u);
        assert.equal(member.backend.readiness(), undefined, "that is not the server's fault");
    }
});

test("a wrong certificate name, an unknown authority and a wrong service password serve nobody", async () => {
    const stranger = await startSlapd({ users });
    after(() => stranger[Symbol.asyncDispose]());
    for (const [member, why] of [
        [await rig([impostor.ldaps]), /other\.postern\.test/u],
        [await rig([impostor.ldap]), /other\.postern\.test/u],
        [await rig([stranger.ldaps]), /unable to (verify|get)|self-signed|signature/u],
        [await rig([first.ldaps], "", { caFile: first.caFile, passwordFile: stranger.passwordFile }), /refused/u],
    ] as const) {
        await assert.rejects(login(member, "alice", passwords.alice), (error) => {
            assert.ok(error instanceof DependencyError);
            assert.match(error.message, why);
            return true;
        });
        assert.equal(member.backend.readiness(), "no LDAP server serves");
        assert.match(String(member.log.lines[0]?.fields["why"]), why);
    }
});

const timings = "serverTimeout: 500ms\n      timeout: 1500ms\n      deadTime: 300ms";

test("a server that is stopped, killed or an impostor fails no login that another one can serve", async () => {
    const dying = await startSlapd(options);
    after(() => dying[Symbol.asyncDispose]());
    for (const [what, server, ill, heal] of [
        ["stopped", dying, () => dying.pause(), () => dying.resume()],
        ["killed", dying, () => dying.kill(), () => dying.start()],
        ["impostor", impostor, () => undefined, undefined],
    ] as const) {
        const member = await rig([server.ldaps, second.ldaps], timings);
        if (heal !== undefined) assert.equal(reasonOf(await login(member, "alice", passwords.alice)), "accept");
        await ill();
        const begun = performance.now();
        const verdicts = await Promise.all(
            Array.from({ length: 8 }, () => login(member, "alice", passwords.alice).then(reasonOf)),
        );
        assert.deepEqual(new Set(verdicts), new Set(["accept"]), what);
        assert.ok(performance.now() - begun < 1_500, `${what}: no login may take longer than its deadline`);
        assert.equal(member.log.lines.filter(({ level }) => level === "error").length, 1, `${what}: told once`);
        const again = performance.now();
        assert.equal(reasonOf(await login(member, "alice", passwords.alice)), "accept");
        assert.ok(performance.now() - again < 450, `${what}: a dead server costs nothing`);
        if (heal === undefined) continue;
        await heal();
        await eventually(() => assert.ok(member.log.find(/serves again/u)), { what: `${what}: the server to be back` });
    }
});

test("when no server serves, the login ends within its time, and so does one that nobody waits for", async () => {
    const dying = await startSlapd(options);
    after(() => dying[Symbol.asyncDispose]());
    const member = await rig([dying.ldaps, dying.ldap], timings);
    dying.pause();
    const begun = performance.now();
    await assert.rejects(login(member, "alice", passwords.alice), DependencyError);
    assert.ok(performance.now() - begun < 1_600);
    const abort = new AbortController();
    const deciding = login(member, "alice", passwords.alice, abort.signal);
    abort.abort();
    await assert.rejects(deciding, DependencyError);
    dying.resume();
    await eventually(async () => assert.equal(reasonOf(await login(member, "alice", passwords.alice)), "accept"));
});

test("connections do not leak: after many logins the idle ones are left, after the stop none", async () => {
    const own = await startSlapd(options);
    after(() => own[Symbol.asyncDispose]());
    const member = await rig([own.ldaps], "idle: 2");
    for (let round = 0; round < 3; round += 1) {
        await Promise.all(
            Array.from({ length: 10 }, (_, at) => login(member, "alice", at % 2 === 0 ? passwords.alice : "wrong")),
        );
    }
    await eventually(async () => assert.equal(await own.connections(), 2));
    // The server closes what is idle, as one does that is restarted: the next login does not notice.
    await own.kill();
    await own.start();
    await eventually(async () => assert.equal(reasonOf(await login(member, "alice", passwords.alice)), "accept"));
    assert.deepEqual(member.log.lines, []);
    await member.backend.stop();
    await eventually(async () => assert.equal(await own.connections(), 0));
});

test("more logins than may wait for a server go to the next one", async () => {
    const member = await rig([first.ldaps, second.ldaps], "outstanding: 1");
    const verdicts = await Promise.all([1, 2].map(() => login(member, "alice", passwords.alice)));
    assert.deepEqual(verdicts.map(reasonOf), ["accept", "accept"]);
    await assert.rejects(
        Promise.all([1, 2, 3].map(() => login(member, "alice", passwords.alice))),
        /logins wait for it/u,
    );
});

const member = rig([first.ldaps, second.ldap]).then(({ backend }) => ({
    backend,
    knows: { user: "alice", password: passwords.alice },
}));
testAuthBackend("directory", () => member, { methods: ["pap"] });
