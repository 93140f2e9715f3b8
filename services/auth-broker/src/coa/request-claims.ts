// One effect for each request, on all brokers together: whoever creates `auth-state/dynamic.<hash>` does what it asks for, and
// everybody who gets the same bytes again, from whatever source, gives the same answer (RFC 5176 §2.3, §6.3).
import { createHash } from "node:crypto";
import type { Bucket } from "@postern/bus";
import type { AuthStateRecord, DynamicRequestRecord } from "@postern/contracts";
import { encodePacket, type Packet } from "@postern/radius";

export type DynamicAnswer = NonNullable<DynamicRequestRecord["answer"]>;

export interface RequestClaimsPorts {
    readonly bucket: Pick<Bucket<AuthStateRecord>, "get" | "create" | "update" | "delete">;
    readonly replica: string;
}

/** A request that this broker has to answer. */
export interface Claim {
    readonly key: string;
    readonly revision: number;
}

/** Seconds after which another broker takes over what a dead one began: longer than registry and workers may take. */
const CLAIM_LASTS = 15;

export class RequestClaims {
    readonly #ports: RequestClaimsPorts;

    constructor(ports: RequestClaimsPorts) {
        this.#ports = ports;
    }

    /**
     * The claim, when it is the first time; else what was answered, or `in-progress`.  Rejects with a DependencyError when the bus
     * cannot tell.
     */
    async take(request: Packet): Promise<Claim | DynamicAnswer | "in-progress"> {
        const { bucket, replica } = this.#ports;
        const key = requestKey(request);
        const revision = await bucket.create(key, { kind: "dynamic", replica }, { ttlSeconds: CLAIM_LASTS });
        if (revision !== undefined) return { key, revision };
        const found = (await bucket.get(key))?.value;
        return found?.kind === "dynamic" && found.answer !== undefined ? found.answer : "in-progress";
    }

    /** Keeps the answer for `seconds`. */
    async settle({ key, revision }: Claim, answer: DynamicAnswer, seconds: number): Promise<void> {
        const { bucket, replica } = this.#ports;
        await bucket.update(key, { kind: "dynamic", replica, answer }, revision, { ttlSeconds: seconds });
    }

    /** Nothing was done: the next repetition is as good as the first. */
    async release({ key, revision }: Claim): Promise<void> {
        await this.#ports.bucket.delete(key, revision);
    }
}

/** Of the packet and not of its sender: a copy with another source address is the same request. */
const requestKey = (request: Packet): string =>
    `dynamic.${createHash("sha256").update(encodePacket(request)).digest("hex")}`;
