// Attackers at the ingresses: from one source, and from thousands that a trusted balancer names.
import { Attacker } from "../../flood/attacker.ts";
import type { AttackOptions } from "../../flood/attack/attack.ts";
import type { AttackName } from "../../flood/attack/attack-name.ts";
import { ATTACKER, BALANCER, SERVER_NAME } from "../../flood/flood-scene.ts";
import type { Stage } from "../stage.ts";
import { type Fault, nobody } from "./fault.ts";

const flood =
    (name: AttackName, options: Omit<AttackOptions, "target" | "from">) =>
    async ({ postern }: Stage): Promise<void> => {
        const { port } = postern.ready.sstp;
        const from = options.sources === undefined ? ATTACKER : BALANCER;
        await new Attacker(name, { ...options, from, target: { host: "127.0.0.1", port, servername: SERVER_NAME } })
            .report;
    };

export const FLOODS: readonly Fault[] = [
    {
        name: "800 connections a second of one source for 15 s",
        costs: nobody,
        inject: flood("hellos", { rate: 800, seconds: 15 }),
    },
    {
        name: "100 ClientHellos a second of 10,000 sources for 15 s",
        costs: nobody,
        inject: flood("hellos", { rate: 100, sources: 10_000, seconds: 15 }),
    },
    {
        name: "600 calls without a login",
        costs: nobody,
        inject: flood("silentPpp", { connections: 600, sources: 600, seconds: 30 }),
    },
    {
        name: "garbage of 1,000 sources for 15 s",
        costs: nobody,
        inject: flood("garbage", { rate: 50, sources: 1_000, seconds: 15 }),
    },
    {
        name: "20 wrong passwords a second of 1,000 sources for 15 s",
        costs: nobody,
        inject: flood("logins", { rate: 20, sources: 1_000, seconds: 15, users: ["mallory"], method: "pap" }),
    },
];
