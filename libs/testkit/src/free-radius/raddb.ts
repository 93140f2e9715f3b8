// The configuration of a FreeRADIUS 3.2 that serves what postern asks: radiusd.conf(5), clients.conf(5), users(5), in one folder.
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CertificateAuthority, IssuedCertificate } from "../certificate-authority.ts";

export interface RadiusUser {
    readonly name: string;
    /** In clear, as CHAP-MD5 needs it; none: only a certificate of this name lets in. */
    readonly password?: string;
    /** The only method of EAP for who calls itself so outside; default: any, EAP-MSCHAPv2 first. */
    readonly eap?: "MSCHAPv2" | "PEAP" | "TLS";
    /** Attributes of the Access-Accept as users(5) has them, such as `Filter-Id := "staff"`. */
    readonly reply?: readonly string[];
}

export interface RaddbOptions {
    readonly users: readonly RadiusUser[];
    /** Where it listens, for authentication; accounting has the next port. */
    readonly address: string;
    readonly port: number;
    readonly secret: string;
    /** The server's name in its EAP certificate. */
    readonly serverName: string;
    readonly authority: CertificateAuthority;
    /** Where the program and its modules are. */
    readonly installation: string;
    /** A command line that verifies MS-CHAPv2 in a domain, as ntlm_auth(1) does, for all users without a password here. */
    readonly ntlmAuth?: string;
    /** Further text of radiusd.conf, such as another `listen` or virtual server. */
    readonly extra?: string;
}

/** Writes everything that `freeradius -d directory` needs; what is secret has mode 0600. */
export async function writeRaddb(directory: string, options: RaddbOptions): Promise<void> {
    const certificate = await options.authority.issue({ names: [options.serverName], keyType: "rsa" });
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const write = async (name: string, text: string): Promise<void> => {
        await writeFile(join(directory, name), text, { mode: 0o600 });
        await chmod(join(directory, name), 0o600);
    };
    await write("secret", options.secret);
    await write("methods", options.users.map(methodEntry).join(""));
    await write("users", options.users.map(userEntry).join("\n"));
    await write("ca.pem", options.authority.cert);
    await write("server.pem", pemOf(certificate));
    await write("radiusd.conf", radiusdConf(directory, options));
    // Attributes of one's own would be here; the program wants the file.
    await write("dictionary", "");
}

const pemOf = ({ cert, key }: IssuedCertificate): string => `${key}\n${cert}\n`;

/** A word of users(5) or radiusd.conf(5). */
const quoted = (text: string): string => `"${text.replace(/["\\]/gu, String.raw`\$&`)}"`;

const methodEntry = ({ name, eap }: RadiusUser): string =>
    eap === undefined ? "" : `${quoted(name)} EAP-Type := ${eap}\n`;

function userEntry({ name, password, reply = [] }: RadiusUser): string {
    const check = password === undefined ? "" : ` Cleartext-Password := ${quoted(password)}`;
    return `${quoted(name)}${check}\n${reply.map((attribute) => `\t${attribute}`).join(",\n")}\n`;
}

function radiusdConf(directory: string, options: RaddbOptions): string {
    const { address, port, secret, installation, ntlmAuth, extra = "" } = options;
    const listen = (type: "auth" | "acct", at: number): string =>
        `    listen {\n        type = ${type}\n        ipaddr = ${address}\n        port = ${at}\n    }`;
    return `
raddbdir = ${directory}
run_dir = ${directory}
logdir = ${directory}
libdir = ${join(installation, "usr/lib/freeradius")}
pidfile = ${directory}/freeradius.pid
max_request_time = 30
cleanup_delay = 5
max_requests = 65536
hostname_lookups = no
log {
    destination = stdout
    auth = yes
}
security {
    allow_core_dumps = no
    max_attributes = 200
    reject_delay = 0
    status_server = yes
}
thread pool {
    start_servers = 2
    max_servers = 8
    min_spare_servers = 1
    max_spare_servers = 8
}
client postern {
    ipaddr = 0.0.0.0/0
    secret = ${quoted(secret)}
    require_message_authenticator = yes
    limit_proxy_state = yes
}
modules {
    always ok { rcode = ok }
    chap { }
    pap { }
    # Without keys SSTP cannot bind the login to its TLS connection, and postern refuses the Accept.
    mschap {
        use_mppe = yes
        require_encryption = yes
        require_strong = yes
        with_ntdomain_hack = yes
        ${ntlmAuth === undefined ? "" : `ntlm_auth = ${quoted(ntlmAuth)}`}
    }
    files methods {
        filename = ${directory}/methods
    }
    files {
        filename = ${directory}/users
    }
    eap {
        default_eap_type = mschapv2
        timer_expire = 60
        ignore_unknown_eap_types = no
        max_sessions = 16384
        tls-config common {
            private_key_file = ${directory}/server.pem
            certificate_file = ${directory}/server.pem
            ca_file = ${directory}/ca.pem
            # Nobody logs in with somebody else's certificate.
            check_cert_cn = "%{User-Name}"
            tls_min_version = "1.2"
            tls_max_version = "1.2"
            fragment_size = 1024
            include_length = yes
        }
        tls { tls = common }
        peap {
            tls = common
            default_eap_type = mschapv2
            virtual_server = inner
        }
        # The client is told why, as in MS-CHAPv2 without EAP.
        mschapv2 {
            send_error = yes
        }
    }
}
server default {
${listen("auth", port)}
${listen("acct", port + 1)}
    authorize {
        chap
        mschap
        methods
        # What is in TLS has no name outside that means anything: its user is looked up inside.
        eap {
            ok = return
        }
        files
        pap
    }
    authenticate {
        Auth-Type PAP {
            pap
        }
        Auth-Type CHAP {
            chap
        }
        Auth-Type MS-CHAP {
            mschap
        }
        eap
    }
    preacct {
        ok
    }
    accounting {
        ok
    }
    post-auth {
        # Who was verified inside of PEAP, and what that user may do; else who was verified outside.
        update reply {
            &User-Name !* ANY
        }
        update {
            &reply: += &session-state:
        }
        if (!&reply:User-Name) {
            update reply {
                &User-Name := &request:User-Name
            }
        }
    }
}
server inner {
    authorize {
        mschap
        files
        eap {
            ok = return
        }
    }
    authenticate {
        Auth-Type MS-CHAP {
            mschap
        }
        eap
    }
    post-auth {
        # The keys of the login inside are not those of the login.
        update reply {
            &User-Name := &request:User-Name
            &EAP-Message !* ANY
            &Message-Authenticator !* ANY
            &MS-MPPE-Encryption-Policy !* ANY
            &MS-MPPE-Encryption-Types !* ANY
            &MS-MPPE-Send-Key !* ANY
            &MS-MPPE-Recv-Key !* ANY
        }
        update {
            &outer.session-state: += &reply:
        }
    }
}
${extra}
`;
}
