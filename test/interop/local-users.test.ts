// The real client logs in as a local user, with every method that postern knows for one.
import { after, before, test } from "node:test";
import { CELLS } from "./cells.ts";
import { PPPD_METHODS, proveLogin, proveRefusal } from "./login-proof.ts";
import { LoginStage } from "./login-stage.ts";

let stage: LoginStage;
before(async () => (stage = await LoginStage.open()));
after(() => stage[Symbol.asyncDispose]());

for (const { method } of CELLS.filter(({ backend }) => backend === "local users")) {
    test(`a local user logs in with ${method}, and with a wrong password does not`, async () => {
        const user = `user-${method.toLowerCase()}`;
        const password = await stage.addUser(user, ...(method === "CHAP-MD5" ? (["--reversible"] as const) : []));
        const pppd = PPPD_METHODS[method];
        await proveRefusal(stage, { user, password: `${password}x`, method: pppd });
        await proveLogin(stage, { user, password, method: pppd, principal: user });
    });
}

test("CHAP-MD5 is refused to a user whose password is not kept for it", async () => {
    const password = await stage.addUser("irreversible");
    await proveRefusal(stage, { user: "irreversible", password, method: PPPD_METHODS["CHAP-MD5"] });
});
