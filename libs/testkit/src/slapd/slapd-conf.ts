// The configuration of a slapd 2.6 with one database, slapd.conf(5), and the text of its first entries, ldif(5).
import { join } from "node:path";

export interface SlapdUser {
    readonly uid: string;
    readonly password: string;
    /** Further attributes, such as `["pwdReset", "TRUE"]`. */
    readonly attributes?: readonly (readonly [name: string, value: string])[];
    /** Below `ou=people`; default: directly. */
    readonly unit?: string;
}

export interface SlapdGroup {
    readonly cn: string;
    /** DNs, of users or of groups. */
    readonly members: readonly string[];
}

const SUFFIX = "dc=postern,dc=test";
export const PEOPLE = `ou=people,${SUFFIX}`;
export const GROUPS = `ou=groups,${SUFFIX}`;
export const SERVICE_DN = `cn=lookup,${SUFFIX}`;
const POLICY_DN = `cn=policy,${SUFFIX}`;

export const userDn = ({ uid, unit }: Pick<SlapdUser, "uid" | "unit">): string =>
    `uid=${uid},${unit === undefined ? "" : `ou=${unit},`}${PEOPLE}`;
export const groupDn = (cn: string): string => `cn=${cn},${GROUPS}`;

export function slapdConf(directory: string, installation: string): string {
    const schema = (name: string): string => `include ${join(installation, "etc/ldap/schema", `${name}.schema`)}`;
    return `
${["core", "cosine", "inetorgperson", "nis"].map(schema).join("\n")}
modulepath ${join(installation, "usr/lib/ldap")}
moduleload back_mdb
moduleload back_monitor
moduleload ppolicy
pidfile ${directory}/slapd.pid
TLSCACertificateFile ${directory}/ca.pem
TLSCertificateFile ${directory}/server.pem
TLSCertificateKeyFile ${directory}/server.key
# A password in clear is refused, as it should be everywhere.
security simple_bind=128
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="${SERVICE_DN}" read by anonymous auth by * none
database mdb
suffix "${SUFFIX}"
directory ${directory}/db
maxsize 67108864
index objectClass,uid,member eq
overlay ppolicy
ppolicy_default "${POLICY_DN}"
`;
}

/** The service account has `servicePassword`; passwords are in clear, since the folder goes with the test. */
export function slapdLdif(users: readonly SlapdUser[], groups: readonly SlapdGroup[], servicePassword: string): string {
    const units = [...new Set(users.flatMap(({ unit }) => (unit === undefined ? [] : [unit])))];
    return [
        entry(SUFFIX, ["objectClass: dcObject", "objectClass: organization", "o: Postern", "dc: postern"]),
        ...[PEOPLE, GROUPS, ...units.map((unit) => `ou=${unit},${PEOPLE}`)].map((dn) =>
            entry(dn, ["objectClass: organizationalUnit"]),
        ),
        entry(SERVICE_DN, [
            "objectClass: organizationalRole",
            "objectClass: simpleSecurityObject",
            `userPassword:: ${base64(servicePassword)}`,
        ]),
        entry(POLICY_DN, [
            "objectClass: organizationalRole",
            "objectClass: pwdPolicy",
            "pwdAttribute: userPassword",
            "pwdLockout: TRUE",
            "pwdMaxFailure: 3",
            "pwdMustChange: TRUE",
        ]),
        ...users.map((user) =>
            entry(userDn(user), [
                "objectClass: inetOrgPerson",
                "objectClass: shadowAccount",
                `uid:: ${base64(user.uid)}`,
                "cn: somebody",
                "sn: somebody",
                `userPassword:: ${base64(user.password)}`,
                ...(user.attributes ?? []).map(([name, value]) => `${name}: ${value}`),
            ]),
        ),
        ...groups.map(({ cn, members }) =>
            entry(groupDn(cn), ["objectClass: groupOfNames", ...members.map((dn) => `member:: ${base64(dn)}`)]),
        ),
    ].join("\n");
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const entry = (dn: string, lines: readonly string[]): string => `dn:: ${base64(dn)}\n${lines.join("\n")}\n`;
