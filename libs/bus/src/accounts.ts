// Who shares a NATS account with whom, and what crosses from one account into another.
//
// nats-server checks the subject that somebody publishes to, but not the subject to which he wants the answer: whoever may ask for
// anything can have the answer (JetStream's too) delivered to any subject of his account, and whoever may make consumers can have
// stored messages delivered there.  So an account has nobody in it but instances that may do the same anyway.  The streams are in
// one of their own without users.  All else has to be imported, and an answer goes back to the account that asked.
import { BUCKETS, GRANTS, type Role } from "@postern/contracts";

export interface Member {
    readonly role: Role;
    readonly instance: string;
}

/** A subject of another account that can be asked or published to as if it were here. */
interface Import {
    readonly account: string;
    readonly subject: string;
}

interface Export {
    readonly subject: string;
    /** More than one message answers a question. */
    readonly streams: boolean;
}

export interface Account {
    readonly name: string;
    readonly members: readonly Member[];
    readonly exports: readonly Export[];
    readonly imports: readonly Import[];
}

/** The account that has the streams. */
export const STREAMS_ACCOUNT = "streams";

const API = "$JS.API";
// Imported everywhere: it is how the server knows that an account uses JetStream elsewhere.  In others it answers each request to the
// API itself, with "not enabled".
const ACCOUNT_INFO = `${API}.INFO`;

const single = (subject: string): Export => ({ subject, streams: false });

/** What the account of the streams offers.  No two of them overlap, or the server would choose one at random. */
const streamsExports = (root: string): Export[] => [
    single(ACCOUNT_INFO),
    single(`${API}.STREAM.>`),
    ...["CREATE", "DURABLE", "INFO", "NAMES", "LIST", "DELETE", "UNPIN"].map((verb) =>
        single(`${API}.CONSUMER.${verb}.>`),
    ),
    { subject: `${API}.CONSUMER.MSG.NEXT.>`, streams: true },
    single("$JS.ACK.>"),
    single(`${root}.event.>`),
    single(`${root}.checkpoint.>`),
    ...Object.values(BUCKETS).map(({ name }) => single(`$KV.${name}.>`)),
];

/** Instances of which any may answer a question share an account; everybody else is alone in one. */
function accountOf({ role, instance }: Member): string {
    return sharesQuestions(role) ? role : `${role}_${instance}`;
}

/**
 * Accounts of `members` and of the streams.  `published` says what a member may publish to; what is not in its own account is
 * imported from where it is.
 */
export function accountsOf(
    members: readonly Member[],
    root: string,
    published: (member: Member) => readonly string[],
): Account[] {
    const names = [...new Set(members.map(accountOf))];
    const exports = new Map<string, Export[]>([[STREAMS_ACCOUNT, streamsExports(root)]]);
    for (const member of members) exports.set(accountOf(member), answersOf(member, root));
    const others = (name: string): Import[] =>
        [...exports].flatMap(([account, offers]) =>
            account === name ? [] : offers.map(({ subject }) => ({ account, subject })),
        );
    return [
        { name: STREAMS_ACCOUNT, members: [], exports: exports.get(STREAMS_ACCOUNT) ?? [], imports: [] },
        ...names.map((name) => {
            const inside = members.filter((member) => accountOf(member) === name);
            const wanted = new Set([ACCOUNT_INFO, ...inside.flatMap((member) => [...published(member)])]);
            return { name, members: inside, exports: exports.get(name) ?? [], imports: imported(wanted, others(name)) };
        }),
    ];
}

function sharesQuestions(role: Role): boolean {
    return role !== "admin" && GRANTS[role].answers.some((subject) => !subject.includes("{instance}"));
}

function answersOf({ role, instance }: Member, root: string): Export[] {
    if (role === "admin") return [];
    const named = sharesQuestions(role) ? "*" : instance;
    return GRANTS[role].answers.map((subject) => single(`${root}.${subject.replaceAll("{instance}", named)}`));
}

function imported(wanted: ReadonlySet<string>, offered: readonly Import[]): Import[] {
    const found = new Map<string, Import>();
    for (const { account, subject } of offered) {
        for (const pattern of wanted) {
            const both = intersection(pattern, subject);
            if (both !== undefined) found.set(both, { account, subject: both });
        }
    }
    return [...found.values()];
}

/** The subjects that match both patterns, as a pattern; `undefined`: there is none. */
export function intersection(one: string, other: string): string | undefined {
    const [a, b] = [one.split("."), other.split(".")];
    const both: string[] = [];
    for (let at = 0; ; at += 1) {
        const [x, y] = [a[at], b[at]];
        if (x === undefined && y === undefined) return both.join(".");
        if (x === undefined || y === undefined) return undefined;
        if (x === ">") return [...both, ...b.slice(at)].join(".");
        if (y === ">") return [...both, ...a.slice(at)].join(".");
        if (x !== y && x !== "*" && y !== "*") return undefined;
        both.push(x === "*" ? y : x);
    }
}
