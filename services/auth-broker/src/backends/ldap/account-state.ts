// What an entry says about its account: directories in front of others let users bind whom their own would refuse.
import { rejection, type Rejection } from "../../auth-backend.ts";
import type { DirectoryEntry } from "./directory-entry.ts";

/** What `accountProblem` and `bindRefusal` look at, operational attributes included. */
export const STATE_ATTRIBUTES = [
    "userAccountControl",
    "accountExpires",
    "shadowExpire",
    "pwdReset",
    "pwdAccountLockedTime",
] as const;

/** ADS_UF_ACCOUNTDISABLE of userAccountControl, [MS-ADTS] 2.2.16. */
const ACCOUNT_DISABLED = 0x2;
/** accountExpires counts 100 ns since 1601; this, and 0, are "never" ([MS-ADTS] 3.1.1.3). */
const NEVER = 0x7fff_ffff_ffff_ffffn;
const FILETIME_PER_MS = 10_000n;
const MS_FROM_1601_TO_1970 = 11_644_473_600_000n;
const DAY_MS = 86_400_000;

/** The refusal of a user whose password was right; `now`: milliseconds since 1970. */
export function accountProblem(user: DirectoryEntry, now: number): Rejection | undefined {
    const control = numberOf(user, "userAccountControl");
    if (control !== undefined && (control & BigInt(ACCOUNT_DISABLED)) !== 0n) {
        return rejection("account-disabled", "the account is disabled (userAccountControl)");
    }
    const expires = numberOf(user, "accountExpires");
    if (expires !== undefined && expires !== 0n && expires !== NEVER) {
        const at = expires / FILETIME_PER_MS - MS_FROM_1601_TO_1970;
        if (at <= BigInt(Math.floor(now)))
            return rejection("account-disabled", "the account has expired (accountExpires)");
    }
    // shadow(5): days since 1970; 0 and negative ones mean nothing.
    const shadow = numberOf(user, "shadowExpire");
    if (shadow !== undefined && shadow > 0n && Number(shadow) * DAY_MS <= now) {
        return rejection("account-disabled", "the account has expired (shadowExpire)");
    }
    if (user.values("pwdReset")[0]?.toUpperCase() === "TRUE") {
        return rejection("password-expired", "the password must be changed first (pwdReset)");
    }
    return undefined;
}

function numberOf(user: DirectoryEntry, attribute: string): bigint | undefined {
    const text = user.values(attribute)[0];
    return text !== undefined && /^-?\d{1,19}$/u.test(text) ? BigInt(text) : undefined;
}
