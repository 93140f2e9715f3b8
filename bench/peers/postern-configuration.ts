// What the bench changes in the postern.yaml of `make start`.
import { parseDocument } from "yaml";
import { SERVER_ADDRESS } from "../topology.ts";
import { TUNNEL_MTU } from "./peer.ts";

export const WORKER_PORT = 8_443;
const SESSIONS = 12_000;
const SESSIONS_A_USER = 1_000;
const UNLIMITED = 100_000;

/** One worker, which other hosts can reach; limits that are there against floods let the bench through. */
export function configure(yaml: string): string {
    const document = parseDocument(yaml);
    document.deleteIn(["session-worker", "instances", "worker-2"]);
    document.setIn(["session-worker", "instances", "worker-1", "listen"], `${SERVER_ADDRESS}:${WORKER_PORT}`);
    // The ingresses connect from this address; who connects from another is the client.
    document.setIn(["session-worker", "proxy", "from"], [`${SERVER_ADDRESS}/32`, "127.0.0.0/8"]);
    document.setIn(["session-worker", "ppp"], { mtu: TUNNEL_MTU });
    document.setIn(["session-worker", "limits"], {
        sessions: SESSIONS,
        strangers: SESSIONS,
        connections: 2 * SESSIONS,
    });
    document.setIn(["session-registry", "limits"], { sessionsPerUser: SESSIONS_A_USER });
    const throttle = { burst: UNLIMITED, perMinute: UNLIMITED };
    document.setIn(["auth-broker", "throttle"], { source: throttle, user: throttle });
    const ingress = { perSource: UNLIMITED, acceptRate: UNLIMITED, acceptBurst: UNLIMITED };
    document.setIn(["ingress", "limits"], ingress);
    return document.toString({ lineWidth: 0 });
}
