// ready.json: what a program needs to use this installation; there while everything runs.
import { SERVICES, type ServiceName } from "@postern/contracts";
import type { Group, Member } from "./fleet.ts";
import { adminUrl } from "./readiness.ts";
import { ADMIN, FILES, SUBSCRIBER } from "./state/layout.ts";
import { seedFile } from "./state/nats-config.ts";
import type { Installation } from "./state/prepare.ts";

export interface ReadyFile {
    /** Where clients dial. */
    readonly sstp: { readonly host: string; readonly port: number };
    /** The server's address inside the tunnel. */
    readonly gateway: string;
    readonly user: string;
    readonly password: string;
    /** PEM file of the CA that the server certificates come from. */
    readonly ca: string;
    readonly nats: {
        readonly url: string;
        readonly tenant: string;
        /** nkey seed files: of the administrator, and of a reader of the event stream. */
        readonly adminSeed: string;
        readonly subscriberSeed: string;
    };
    readonly config: string;
    /** Admin listeners, by service. */
    readonly admin: Readonly<Record<ServiceName, readonly string[]>>;
    readonly pids: Readonly<Partial<Record<Group, readonly number[]>>>;
}

export function readyFile(installation: Installation, host: string, fleet: readonly Member[]): ReadyFile {
    const { config, layout, user } = installation;
    const inGroup = (group: Group): readonly Member[] => fleet.filter((member) => member.group === group);
    const admin = (service: ServiceName): string[] =>
        inGroup(service).flatMap((member) => (member.admin === undefined ? [] : [adminUrl(member.admin)]));
    const pids = (group: Group): number[] => inGroup(group).flatMap((member) => member.process.pid ?? []);
    return {
        sstp: { host, port: config.ingress.listen[0]?.port ?? 0 },
        gateway: config["session-worker"].uplink.gateway,
        user: user.user,
        password: user.password,
        ca: `${layout.directory}/${FILES.ca.certificate}`,
        nats: {
            url: config.nats.servers[0] ?? "",
            tenant: config.tenant,
            adminSeed: seedFile(config, ADMIN),
            subscriberSeed: seedFile(config, SUBSCRIBER),
        },
        config: config.file,
        admin: {
            ingress: admin("ingress"),
            "session-worker": admin("session-worker"),
            "auth-broker": admin("auth-broker"),
            "session-registry": admin("session-registry"),
            "audit-logger": admin("audit-logger"),
        },
        pids: Object.fromEntries(["nats" as const, ...SERVICES].map((group) => [group, pids(group)])),
    };
}
