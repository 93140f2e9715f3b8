// Which logins are tried with programs of other people: docs/compatibility.md names the same ones, row by row.

export interface Cell {
    /** Who knows the user. */
    readonly backend: "local users" | "FreeRADIUS";
    readonly method: "PAP" | "CHAP-MD5" | "MS-CHAPv2" | "EAP-MSCHAPv2";
    /** Debian's sstpc with pppd, or, where these cannot do the method, our own client. */
    readonly client: "sstpc" | "ours";
    /** File of test/interop that runs it. */
    readonly test: string;
}

const local = (method: Cell["method"]): Cell => ({
    backend: "local users",
    method,
    client: "sstpc",
    test: "local-users.test.ts",
});

export const CELLS: readonly Cell[] = [local("PAP"), local("CHAP-MD5"), local("MS-CHAPv2"), local("EAP-MSCHAPv2")];
