/** The attacks that attack-main.ts knows. */
export type AttackName =
    | "garbage"
    | "garbageHeaders"
    | "halfOpen"
    | "hellos"
    | "logins"
    | "pppRequests"
    | "silentPpp"
    | "silentSstp"
    | "silentTcp"
    | "slowHead"
    | "slowHello";
