// Where `make start` keeps things.  Paths in postern.yaml are relative to it.
//
//   postern.yaml            the installation; written once, then the administrator's
//   pki/                    CA and server certificates with their keys, the secret of TLS tickets
//   keys/                   the brokers' seal key pair, the key of local accounts, the audit signing key
//   nats/                   nats.conf, one nkey seed per instance, the JetStream store
//   outbox/ audit/          what instances keep
//   first-user.json         name and password of the user that the first start made
//   ready.json              present while everything runs
//   launcher.pid            who uses the directory
import { join } from "node:path";

export interface StateLayout {
    readonly directory: string;
    readonly config: string;
    readonly pki: string;
    readonly keys: string;
    readonly nats: string;
    readonly firstUser: string;
    readonly ready: string;
    readonly pidFile: string;
}

export const stateLayout = (directory: string): StateLayout => ({
    directory,
    config: join(directory, "postern.yaml"),
    pki: join(directory, "pki"),
    keys: join(directory, "keys"),
    nats: join(directory, "nats"),
    firstUser: join(directory, "first-user.json"),
    ready: join(directory, "ready.json"),
    pidFile: join(directory, "launcher.pid"),
});

/** Relative to the state directory, as postern.yaml names them. */
export const FILES = {
    ca: { certificate: "pki/ca.pem", key: "pki/ca.key" },
    rsa: { certificate: "pki/server-rsa.pem", key: "pki/server-rsa.key" },
    ecdsa: { certificate: "pki/server-ecdsa.pem", key: "pki/server-ecdsa.key" },
    ticketSecret: "pki/tickets.key",
    sealKey: "keys/seal.key",
    sealPublic: "keys/seal.pub",
    accountsKey: "keys/accounts.key",
    auditKey: "keys/audit.key",
    seeds: "nats/{instance}.seed",
} as const;

/** Users of the bus that are not services. */
export const ADMIN = "admin";
export const SUBSCRIBER = "subscriber";
