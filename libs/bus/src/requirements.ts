// What a stream or consumer must look like to be used; checked by every service when it opens one.
import type { ConsumerConfig, StreamConfig } from "@nats-io/jetstream";
import type { BucketContract } from "@postern/contracts";
import { DependencyError } from "@postern/errors";

const KV_STREAM_PREFIX = "KV_";

/** The one priority group of single-active consumers. */
export const PINNED_GROUP = "active";

export const bucketStream = (bucket: Pick<BucketContract, "name">): string => `${KV_STREAM_PREFIX}${bucket.name}`;

/** One line for each field of the bucket's stream that differs from the contract. */
export function bucketDifferences(contract: BucketContract, config: StreamConfig): string[] {
    const expire = contract.ttl === undefined ? config.max_age === 0 : config.max_age > 0;
    return [
        ...differing("subjects", config.subjects, [`$KV.${contract.name}.>`]),
        ...differing("max_msgs_per_subject", config.max_msgs_per_subject, 1),
        ...differing("discard", config.discard, "new"),
        ...differing("storage", config.storage, "file"),
        ...differing("allow_msg_ttl", config.allow_msg_ttl ?? false, true),
        ...differing("allow_rollup_hdrs", config.allow_rollup_hdrs, contract.ttl === undefined),
        ...(contract.ttl !== undefined || (config.subject_delete_marker_ttl ?? 0) > 0
            ? []
            : ["subject_delete_marker_ttl is 0, wanted more"]),
        ...(expire
            ? []
            : [`max_age is ${config.max_age}, wanted ${contract.ttl === undefined ? "0" : "a time to live"}`]),
    ];
}

/** `field is x, wanted y`, or nothing. */
export function differing(field: string, is: unknown, wanted: unknown): string[] {
    const [found, expected] = [is === undefined ? "absent" : JSON.stringify(is), JSON.stringify(wanted)];
    return found === expected ? [] : [`${field} is ${found}, wanted ${expected}`];
}

export function requireNone(differences: readonly string[], what: string): void {
    if (differences.length > 0) throw new DependencyError("BUS_NOT_APPLIED", `${what}: ${differences.join("; ")}`);
}

/** One line for each field of a durable consumer that differs from what its use needs. */
export function consumerDifferences(config: ConsumerConfig, pinned: boolean): string[] {
    return [
        ...differing("ack_policy", config.ack_policy, "explicit"),
        ...differing("priority_policy", config.priority_policy ?? "none", pinned ? "pinned_client" : "none"),
        ...(pinned ? differing("priority_groups", config.priority_groups, [PINNED_GROUP]) : []),
    ];
}
