// Which logins are tried with programs of other people: docs/compatibility.md names the same ones, row by row.

export interface Cell {
    /** Who knows the user. */
    readonly backend:
        | "local users"
        | "FreeRADIUS"
        | "FreeRADIUS by RadSec"
        | "slapd"
        | "Samba AD by LDAP"
        | "Samba AD by FreeRADIUS";
    readonly method: "PAP" | "CHAP-MD5" | "MS-CHAPv2" | "EAP-MSCHAPv2" | "EAP-TLS" | "PEAP-MSCHAPv2";
    /** Debian's sstpc with pppd, or, where these cannot do the method, our own client. */
    readonly client: "sstpc" | "ours";
    /** File of test/interop that runs it. */
    readonly test: string;
}

const cell = (
    backend: Cell["backend"],
    test: string,
    method: Cell["method"],
    client: Cell["client"] = "sstpc",
): Cell => ({
    backend,
    method,
    client,
    test,
});

const PASSWORD_METHODS = ["PAP", "CHAP-MD5", "MS-CHAPv2", "EAP-MSCHAPv2"] as const;

export const CELLS: readonly Cell[] = [
    ...PASSWORD_METHODS.map((method) => cell("local users", "local-users.test.ts", method)),
    ...PASSWORD_METHODS.map((method) => cell("FreeRADIUS", "free-radius.test.ts", method)),
    cell("FreeRADIUS", "free-radius.test.ts", "EAP-TLS"),
    // pppd answers the result of a server that does no cryptobinding inside with an Identity.
    cell("FreeRADIUS", "free-radius.test.ts", "PEAP-MSCHAPv2", "ours"),
    cell("FreeRADIUS by RadSec", "free-radius.test.ts", "MS-CHAPv2"),
    cell("slapd", "open-ldap.test.ts", "PAP"),
    cell("Samba AD by LDAP", "samba-domain.test.ts", "PAP"),
    cell("Samba AD by FreeRADIUS", "samba-domain.test.ts", "MS-CHAPv2"),
    cell("Samba AD by FreeRADIUS", "samba-domain.test.ts", "EAP-MSCHAPv2"),
    cell("Samba AD by FreeRADIUS", "samba-domain.test.ts", "PEAP-MSCHAPv2", "ours"),
];
