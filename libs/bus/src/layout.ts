// What `applyBus` creates: the contracts' streams, buckets and consumers as JetStream configurations.
import {
    AckPolicy,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    type ConsumerConfig,
    type StreamConfig,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { BUCKETS, CONSUMERS, STREAMS, type BucketContract, type Subjects } from "@postern/contracts";
import { bucketStream, PINNED_GROUP } from "./requirements.ts";

/** Sizes and times that the contracts leave to the configuration. */
export interface BusLayout {
    /** Copies of every stream and bucket: 1, 3 or 5. */
    readonly replicas: number;
    /** Milliseconds. */
    readonly eventsMaxAge: number;
    readonly eventsMaxBytes: number;
    /** Milliseconds after which a worker's record expires. */
    readonly workerTtl: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

// Outboxes repeat what they published within twice the server's sync interval (two minutes by default) before an interruption.
const EVENTS_DUPLICATE_WINDOW = 10 * MINUTE;
const CHECKPOINTS_MAX_AGE = 730 * DAY;
const CHECKPOINTS_MAX_BYTES = 64 * 1024 * 1024;
// How long the note of an expiry stays; watchers that were away longer compare instead.
const EXPIRY_NOTE_KEPT = MINUTE;
const BUCKET_DUPLICATE_WINDOW = 2 * MINUTE;
// After this an unacknowledged message comes again, and after that a silent active consumer is replaced.
const ACK_WAIT = 10 * SECOND;
const PIN_LASTS = 10 * SECOND;
const MAX_UNACKNOWLEDGED = 2_048;

type StreamLayout = Pick<StreamConfig, "name" | "subjects"> & Partial<StreamConfig>;
type ConsumerLayout = Partial<ConsumerConfig> & { readonly durable_name: string };

/** The streams behind events, checkpoints and buckets. */
export function streamLayouts(subjects: Subjects, layout: BusLayout): StreamLayout[] {
    const kept = { retention: RetentionPolicy.Limits, storage: StorageType.File, num_replicas: layout.replicas };
    return [
        {
            name: STREAMS.events,
            subjects: [subjects.eventFilter()],
            ...kept,
            max_age: nanos(layout.eventsMaxAge),
            max_bytes: layout.eventsMaxBytes,
            // A full stream must not lose what is in it: outboxes hold what comes next.
            discard: DiscardPolicy.New,
            duplicate_window: nanos(Math.min(EVENTS_DUPLICATE_WINDOW, layout.eventsMaxAge)),
            deny_delete: true,
            deny_purge: true,
        },
        {
            name: STREAMS.checkpoints,
            subjects: [subjects.checkpointFilter],
            ...kept,
            max_age: nanos(CHECKPOINTS_MAX_AGE),
            max_bytes: CHECKPOINTS_MAX_BYTES,
            discard: DiscardPolicy.Old,
            deny_delete: true,
            deny_purge: true,
        },
        ...Object.values(BUCKETS).map((bucket) => bucketLayout(bucket, layout)),
    ];
}

function bucketLayout(bucket: BucketContract, { replicas, workerTtl }: BusLayout): StreamLayout {
    const maxAge = bucket.ttl === undefined ? 0 : workerTtl;
    // The server lets expiry leave a note only where a rollup header may empty the stream.  In a bucket that many write to, each its
    // own key, nobody may: watchers ask whether a key has expired (expiring-keys.ts).
    const shared = bucket.ttl !== undefined;
    return {
        name: bucketStream(bucket),
        description: bucket.summary,
        subjects: [`$KV.${bucket.name}.>`],
        retention: RetentionPolicy.Limits,
        storage: StorageType.File,
        num_replicas: replicas,
        max_msgs_per_subject: 1,
        max_age: nanos(maxAge),
        discard: DiscardPolicy.New,
        duplicate_window: nanos(maxAge === 0 ? BUCKET_DUPLICATE_WINDOW : Math.min(BUCKET_DUPLICATE_WINDOW, maxAge)),
        allow_msg_ttl: true,
        subject_delete_marker_ttl: shared ? 0 : nanos(EXPIRY_NOTE_KEPT),
        allow_rollup_hdrs: !shared,
        deny_purge: shared,
        // Reads are to come from the leader.
        allow_direct: false,
        deny_delete: true,
    };
}

/** Durable consumers of the event stream. */
export function consumerLayouts(subjects: Subjects): ConsumerLayout[] {
    return [
        {
            durable_name: CONSUMERS.audit,
            filter_subject: subjects.eventFilter(),
            deliver_policy: DeliverPolicy.All,
            ack_policy: AckPolicy.Explicit,
            ack_wait: nanos(ACK_WAIT),
            max_deliver: -1,
            max_ack_pending: MAX_UNACKNOWLEDGED,
            priority_policy: "pinned_client",
            priority_groups: [PINNED_GROUP],
            priority_timeout: nanos(PIN_LASTS),
        },
    ];
}
