// The postern.yaml that `make start` begins with: the embedded default.
import type { ListenAddress } from "@postern/config";
import { FILES } from "./layout.ts";

export interface DefaultConfig {
    readonly name: string;
    readonly sstp: ListenAddress;
    /** First of `PORTS_NEEDED` loopback ports. */
    readonly firstPort: number;
    readonly uplink: "tun" | "null";
    /** Second octet of the pool: 10.<n>.0.0/16. */
    readonly poolOctet: number;
    /** What the IPv6 pool `<prefix>::/48` begins with, such as `fd12:3456:789a`. */
    readonly ipv6Prefix: string;
    /** First of two TUN device numbers. */
    readonly firstDevice: number;
}

export const PORTS_NEEDED = 13;
const ADMIN_OFFSET = 3;

/** As postern.yaml has it. */
export const writtenAddress = ({ host, port }: ListenAddress): string =>
    `${host.includes(":") ? `[${host}]` : host}:${port}`;

export function defaultConfig({
    name,
    sstp,
    firstPort,
    uplink,
    poolOctet,
    ipv6Prefix,
    firstDevice,
}: DefaultConfig): string {
    const gateway = `10.${poolOctet}.0.1`;
    const pool = `10.${poolOctet}.0.0/16`;
    const [nats, worker1, worker2] = [firstPort, firstPort + 1, firstPort + 2];
    const admin = (index: number): string => `127.0.0.1:${firstPort + ADMIN_OFFSET + index}`;
    return `# Made by \`make start\`; yours to change, it is never overwritten.  Every key: docs/configuration.md.
# The launcher runs exactly the instances that are listed here.
name: ${name}

nats:
  servers: ["nats://127.0.0.1:${nats}"]
  seed: ${FILES.seeds}

outbox:
  # nats/nats.conf has \`sync_interval: always\`.
  streamSyncInterval: 0s

ingress:
  # Both instances listen here; the kernel shares connections out.
  listen: ["${writtenAddress(sstp)}"]
  instances:
    ingress-1: { admin: "${admin(0)}" }
    ingress-2: { admin: "${admin(1)}" }

session-worker:
  # Only ingresses of this host connect to workers, and they say who the client is.
  proxy: { from: [127.0.0.0/8] }
  tls:
    certificates:
      - pairs:
          - { certificate: ${FILES.rsa.certificate}, key: ${FILES.rsa.key} }
          - { certificate: ${FILES.ecdsa.certificate}, key: ${FILES.ecdsa.key} }
    # Both workers have it, so a client can come back to either without a full handshake.
    tickets: { secret: ${FILES.ticketSecret} }
  auth: { brokerKey: ${FILES.sealPublic} }
  uplink:
    kind: "${uplink}"
    mode: nat
    gateway: ${gateway}
    pools: [${pool}]
    # Without this key, and the one of the pool below, clients have no IPv6.
    ipv6: { gateway: "${ipv6Prefix}::1", pools: ["${ipv6Prefix}::/48"] }
  instances:
    worker-1:
      admin: "${admin(2)}"
      listen: 127.0.0.1:${worker1}
      uplink: { device: pst${firstDevice} }
    worker-2:
      admin: "${admin(3)}"
      listen: 127.0.0.1:${worker2}
      uplink: { device: pst${firstDevice + 1} }

auth-broker:
  sealKey: ${FILES.sealKey}
  accountsKey: ${FILES.accountsKey}
  instances:
    broker-1: { admin: "${admin(4)}" }
    broker-2: { admin: "${admin(5)}" }

session-registry:
  pools:
    default: { networks: [${pool}], gateway: ${gateway}, ipv6: { prefix: "${ipv6Prefix}::/48" } }
  instances:
    registry-1: { admin: "${admin(6)}" }
    registry-2: { admin: "${admin(7)}" }

audit-logger:
  signingKey: ${FILES.auditKey}
  instances:
    audit-1: { admin: "${admin(8)}" }
    audit-2: { admin: "${admin(9)}" }
`;
}
