// What the guest runs to dial: pppd with sstpc under it, and the files that they read.
import { isIP } from "node:net";
import { ADDRESSES } from "./topology.ts";

/** Authentication methods that this pppd can be held to, with the options that leave only that one. */
const METHODS = ["pap", "chap", "mschap", "mschap-v2", "eap"] as const;
type Method = (typeof METHODS)[number];

export interface DialOptions {
    /** A name or an address; a name is made to resolve to `address` in the guest. */
    readonly host: string;
    /** Default: the topology's server. */
    readonly address?: string;
    readonly port?: number;
    readonly user: string;
    readonly password: string;
    /** The only method that the client agrees to; default: any. */
    readonly method?: Method;
    /** PEM: the client verifies the server's certificate and name against it.  Without it, it only warns. */
    readonly authority?: string;
    /** Sent as the TLS server name; default true when `host` is a name. */
    readonly serverName?: boolean;
    /** Settings of the client's TLS library as in openssl.cnf(5), such as `MaxProtocol`; default: the library's. */
    readonly tls?: Readonly<Record<string, string>>;
    /** For methods of EAP with TLS inside: PEM of the server's authority, and of the client's certificate where the method is EAP-TLS. */
    readonly eapTls?: {
        readonly authority: string;
        readonly certificate?: { readonly cert: string; readonly key: string };
    };
    /** Networks to route through the tunnel; default the inside network. */
    readonly routes?: readonly string[];
    /** Further options of pppd, after those that the harness sets. */
    readonly pppdOptions?: readonly string[];
    /** Milliseconds until an address must be there; default 30,000. */
    readonly limit?: number;
}

/** A bash script that becomes pppd. */
export function dialScript(id: string, options: DialOptions): string {
    const { host, address = ADDRESSES.server, port = 443, user, method, authority, eapTls, pppdOptions = [] } = options;
    const serverName = options.serverName ?? isIP(host) === 0;
    const sstpc = [
        "env",
        `OPENSSL_CONF=/mnt/openssl.${id}`,
        "sstpc",
        "--nolaunchpppd",
        "--log-stderr",
        "--log-level",
        "4",
        "--ipparam",
        id,
    ];
    sstpc.push(...(authority === undefined ? ["--cert-warn"] : ["--ca-cert", `/mnt/authority.${id}`]));
    if (serverName) sstpc.push("--tls-ext");
    sstpc.push(`${host}:${port}`);
    const pppd = [
        "pppd",
        "pty",
        sstpc.join(" "),
        "plugin",
        "sstp-pppd-plugin.so",
        "sstp-sock",
        `/run/sstpc/sstpc-${id}`,
    ];
    pppd.push(
        "ipparam",
        id,
        "user",
        user,
        "nodetach",
        "debug",
        "noauth",
        "noipdefault",
        "nodefaultroute",
        "usepeerdns",
    );
    // The secrets files, not the command line, carry the password; `hide-password` keeps it out of the log.
    pppd.push("hide-password", ...refusals(method), ...pppdOptions);
    if (eapTls !== undefined) pppd.push("ca", `/mnt/eap-ca.${id}`);
    if (eapTls?.certificate !== undefined) pppd.push("cert", `/mnt/eap-cert.${id}`, "key", `/mnt/eap-key.${id}`);
    return [
        isIP(host) === 0 ? `echo ${quote(`${address} ${host}`)} >>/etc/hosts` : "",
        `install -m 600 /mnt/secrets.${id} /etc/ppp/chap-secrets`,
        `install -m 600 /mnt/secrets.${id} /etc/ppp/pap-secrets`,
        `rm /mnt/secrets.${id}`,
        `exec ${pppd.map(quote).join(" ")} 2>&1`,
        "",
    ].join("\n");
}

/** Names in `/mnt`, and contents. */
export function dialFiles(id: string, options: DialOptions): readonly (readonly [name: string, content: string])[] {
    const { authority = "", tls = {}, eapTls } = options;
    const files: [string, string][] = [
        [`secrets.${id}`, secretsFile(options)],
        [`authority.${id}`, authority],
        [`openssl.${id}`, opensslConfiguration(tls)],
    ];
    if (eapTls !== undefined) files.push([`eap-ca.${id}`, eapTls.authority]);
    const { cert, key } = eapTls?.certificate ?? {};
    if (cert !== undefined && key !== undefined) files.push([`eap-cert.${id}`, cert], [`eap-key.${id}`, key]);
    return files;
}

function opensslConfiguration(settings: Readonly<Record<string, string>>): string {
    const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}`);
    const sections = [
        "openssl_conf = init",
        "[init]",
        "ssl_conf = ssl",
        "[ssl]",
        "system_default = client",
        "[client]",
    ];
    return [...sections, ...lines, ""].join("\n");
}

/** pppd takes the first line whose client name fits; any server, any address. */
function secretsFile({ user, password }: DialOptions): string {
    return `${secretsWord(user)} * ${secretsWord(password)} *\n`;
}

/** pppd(8), AUTHENTICATION: words of a secrets file in double quotes, with backslashes before what is special. */
const secretsWord = (text: string): string => `"${text.replace(/["\\]/gu, "\\$&")}"`;

const refusals = (method: Method | undefined): string[] =>
    method === undefined ? [] : METHODS.filter((other) => other !== method).map((other) => `refuse-${other}`);

const quote = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;
