// What a fault is, and what several kinds of them need.
import { setTimeout as delay } from "node:timers/promises";
import type { Stage, Target } from "../stage.ts";

export interface Fault {
    readonly name: string;
    /** Also in the short run. */
    readonly isBrief?: true;
    /** Nobody hangs up or dials while it lasts. */
    readonly isCalm?: true;
    /** Source addresses of the clients that lose their session; asked before. */
    readonly costs: (stage: Stage) => Promise<readonly string[]>;
    /** Does it; resolves when everything may be well again. */
    readonly inject: (stage: Stage) => Promise<void>;
}

export const nobody = async (): Promise<readonly string[]> => [];

export const workersClients =
    (number: number) =>
    (stage: Stage): Promise<readonly string[]> =>
        stage.clientsOfWorker(`worker-${number}`);

export const ingressClients =
    (number: number) =>
    (stage: Stage): Promise<readonly string[]> =>
        stage.clientsOfProcess(stage.pid("ingress", number));

export const kill =
    (...targets: readonly Target[]) =>
    (stage: Stage): Promise<void> =>
        stage.kill(...targets);

/** A process that stands still: SIGSTOP. */
export const hang =
    (milliseconds: number, ...target: Target) =>
    async (stage: Stage): Promise<void> => {
        const pid = stage.pid(...target);
        process.kill(pid, "SIGSTOP");
        try {
            await delay(milliseconds);
        } finally {
            process.kill(pid, "SIGCONT");
        }
    };
