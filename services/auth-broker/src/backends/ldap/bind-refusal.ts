// Why a directory did not let a user in.  Active Directory says it in the diagnostic message of the bind response:
// "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data 52e, v4563", a Windows error in hexadecimal.
import { MSCHAP_ERROR } from "@postern/ppp";
import { rejection, type Rejection } from "../../auth-backend.ts";
import type { DirectoryEntry } from "./directory-entry.ts";

/** RFC 4511 §A.1. */
const UNWILLING_TO_PERFORM = 53;

const disabled = (found: string): Rejection => rejection("account-disabled", found);
const restricted = (found: string, error: number, message: string): Rejection => ({
    ...disabled(found),
    mschap: { error, message },
});

/** By Windows error number: ERROR_LOGON_FAILURE and its relatives. */
const WINDOWS: Readonly<Record<string, Rejection>> = {
    "525": rejection("unknown-user", "the directory has no such user (data 525)"),
    "52e": rejection("bad-credentials", "wrong password (data 52e)"),
    "530": restricted("not at this hour (data 530)", MSCHAP_ERROR.restrictedLogonHours, "Restricted logon hours"),
    "531": restricted("not from this computer (data 531)", MSCHAP_ERROR.noDialinPermission, "Logon not permitted"),
    "532": rejection("password-expired", "the password has expired (data 532)"),
    "533": disabled("the account is disabled (data 533)"),
    "701": restricted("the account has expired (data 701)", MSCHAP_ERROR.accountDisabled, "Account expired"),
    "773": rejection("password-expired", "the password must be changed first (data 773)"),
    "775": rejection("account-locked", "the directory has locked the account (data 775)"),
};

/** The refusal that follows from a failed bind of a user who exists.  `code`: RFC 4511 §4.1.9. */
export function bindRefusal(code: number, diagnostic: string, user: DirectoryEntry): Rejection {
    const data = /\bdata ([0-9a-f]{1,8}),/iu.exec(diagnostic)?.[1]?.toLowerCase();
    const known = data === undefined ? undefined : WINDOWS[data];
    if (known !== undefined) return known;
    // slapd's ppolicy says no more to a locked user than that the password was wrong.
    if (user.values("pwdAccountLockedTime").length > 0) {
        return rejection("account-locked", "the directory has locked the account (pwdAccountLockedTime)");
    }
    if (code === UNWILLING_TO_PERFORM) return disabled(`the directory is unwilling to let the user in: ${diagnostic}`);
    return rejection("bad-credentials", "wrong password");
}
