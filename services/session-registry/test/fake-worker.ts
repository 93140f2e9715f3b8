// A worker as registries see it.
import type { AdmittedSession, DescribeAnswer, DisconnectQuestion } from "@postern/contracts";
import { NOTHING } from "./world-settings.ts";

export interface FakeWorker {
    readonly id: string;
    epoch: number;
    state: "up" | "hung" | "dead";
    /** Session → its epoch, as the worker has it. */
    readonly sessions: Map<string, number>;
    /** Sessions that it has ended: it ends none twice. */
    readonly over: Set<string>;
    readonly disconnects: DisconnectQuestion[];
    /** What it remembers of the admissions of its sessions. */
    readonly admitted: Map<string, AdmittedSession>;
    /** What it does when told to end a session: end it at once, or take its time. */
    obeys: boolean;
}

/** Its answer about `session`, or about all. */
export function describe(worker: FakeWorker, session: string | undefined): DescribeAnswer {
    const counters = { ...NOTHING, bytesIn: 5 };
    const all = [...worker.sessions].map(([one, epoch]) => ({ session: one, epoch, counters }));
    const sessions =
        session === undefined
            ? all
            : all
                  .filter((one) => one.session === session)
                  .map((one) => ({ ...one, admitted: worker.admitted.get(session) }));
    return { worker: worker.id, epoch: worker.epoch, state: "ready", sessions };
}
