// Sizes and times of what `applyBus` creates: those parts of the configuration that the contracts leave open.
export interface BusLayout {
    /** Copies of every stream and bucket: 1, 3 or 5. */
    readonly replicas: number;
    /** Milliseconds. */
    readonly eventsMaxAge: number;
    readonly eventsMaxBytes: number;
    /** Milliseconds after which a worker's record expires. */
    readonly workerTtl: number;
}
