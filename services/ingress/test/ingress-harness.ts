// An ingress without its bus: real listener, directory and links between real clients and the workers of a test.
import assert from "node:assert/strict";
import type { ConnectionEndReason, RejectReason, WorkerRecord, BanRecord } from "@postern/contracts";
import { PathWatch, tune } from "@postern/tcp";
import { createLogger } from "@postern/telemetry";
import { eventually } from "@postern/testkit";
import { BanList } from "../src/ban-list.ts";
import { ConnectionTable } from "../src/connection-table.ts";
import { HealthProbe } from "../src/health-probe.ts";
import { type ConnectionEnd, Listener, type ListenerSettings } from "../src/listener.ts";
import { ProxyLink } from "../src/proxy-link.ts";
import { SourceLimiter, type SourceLimits } from "../src/source-limiter.ts";
import { WorkerDirectory, type DirectorySettings } from "../src/worker-directory.ts";
import { FakeBucket, type FakeWorker } from "./fleet.ts";

export interface IngressOptions {
    readonly listener?: Partial<ListenerSettings>;
    readonly limits?: Partial<SourceLimits>;
    readonly directory?: Partial<DirectorySettings>;
    readonly answerTimeout?: number;
    readonly idleTimeout?: number;
}

const LIMITS: SourceLimits = { perSource: 100, acceptRate: 1_000, acceptBurst: 1_000, sources: 1_000 };
const DIRECTORY: DirectorySettings = { interval: 25, timeout: 1_000, lostAfter: 200, rise: 1, fall: 2 };

/** The first of `workers` is preferred as long as it can be had, so that a test knows who is asked. */
export async function startIngress(workers: readonly FakeWorker[], options: IngressOptions = {}) {
    const log = createLogger({ service: "ingress", instance: "i1", level: "fatal" });
    const records = new FakeBucket<WorkerRecord>();
    const banned = new FakeBucket<BanRecord>();
    const rejected: RejectReason[] = [];
    const opened: string[] = [];
    const ended: (ConnectionEnd & { readonly worker: string })[] = [];
    const retried: string[] = [];
    const lost: string[] = [];
    let silent = 0;
    const bans = new BanList(() => Date.now());
    await bans.start(banned);
    const directory = new WorkerDirectory(
        { ...DIRECTORY, ...options.directory },
        {
            createProbe: () => new HealthProbe(),
            log,
            now: () => performance.now(),
            onLost: (worker) => {
                lost.push(worker);
                listener.closeLinks(worker, "worker-lost");
            },
        },
    );
    await directory.start(records);
    const paths = new PathWatch({ interval: 1_000, mostPerTurn: 1_000, onRtt: () => undefined });
    const connections = new ConnectionTable(paths, () => Date.now());
    const sources = new SourceLimiter({ ...LIMITS, ...options.limits }, () => performance.now());
    const listener = new Listener(
        {
            listen: [{ host: "127.0.0.1", port: 0 }],
            proxyFrom: [],
            headerTimeout: 300,
            firstByteTimeout: 300,
            maxConnections: 1_000,
            ...options.listener,
        },
        {
            policy: { choose: (candidates) => candidates[0] },
            directory,
            link: new ProxyLink({
                connectTimeout: 1_000,
                answerTimeout: options.answerTimeout ?? 300,
                idleTimeout: options.idleTimeout ?? 60_000,
                tune: (socket) => void tune(socket, { noDelay: true }),
            }),
            bans,
            sources,
            log,
            connections,
            tune: (socket) => void tune(socket, { noDelay: true }),
            onRetry: (worker) => void retried.push(worker),
            onRejected: (_source, reason) => void rejected.push(reason),
            onSilent: () => (silent += 1),
            onOpened: ({ worker }) => void opened.push(worker),
            onClosed: ({ worker }, end) => void ended.push({ ...end, worker }),
        },
    );
    const stop = async (): Promise<void> => {
        listener.stopAccepting();
        directory.stop();
        bans.stop();
        await listener.closeAll("ingress-stop");
    };
    await listener.start().catch(async (error: unknown) => {
        await stop();
        throw error;
    });
    for (const worker of workers) records.put(worker.name, worker.record());
    await eventually(() => directory.candidates().length === workers.length);
    return {
        records,
        banned,
        directory,
        listener,
        paths,
        connections,
        sources,
        rejected,
        opened,
        ended,
        retried,
        lost,
        silent: () => silent,
        port: Number(listener.addresses()[0]?.split(":").at(-1)),
        reasons: (): ConnectionEndReason[] => ended.map(({ reason }) => reason),
        async [Symbol.asyncDispose]() {
            await stop();
            await eventually(() => assert.deepEqual([listener.connections, listener.links], [0, 0]));
        },
    };
}
