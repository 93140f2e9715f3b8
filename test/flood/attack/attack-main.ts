// One attack in a process of its own, so that honest clients have theirs.  Ends when the attack is over, or when standard input
// is closed; then says what it saw.
import { type Attack, type AttackOptions, Tally } from "./attack.ts";
import type { AttackName } from "./attack-name.ts";
import { garbage, garbageHeaders } from "./garbage.ts";
import { hellos, logins, pppRequests } from "./pressure.ts";
import { halfOpen, silentPpp, silentSstp, silentTcp, slowHead, slowHello } from "./slow.ts";

const ATTACKS: Readonly<Record<AttackName, Attack>> = {
    garbage,
    garbageHeaders,
    halfOpen,
    hellos,
    logins,
    pppRequests,
    silentPpp,
    silentSstp,
    silentTcp,
    slowHead,
    slowHello,
};

const [name = "", options = "{}"] = process.argv.slice(2);
const tally = new Tally();
const stop = new AbortController();
process.stdin.on("end", () => stop.abort()).resume();
await ATTACKS[name as AttackName](JSON.parse(options) as AttackOptions, tally, stop.signal); // a test wrote both
process.stdout.write(`${JSON.stringify(tally.report)}\n`, () => process.exit(0));
