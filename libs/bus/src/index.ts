export { applyBus, type ApplyReport } from "./apply.ts";
export type { Bucket, Change, Entry, WatchStatus, Watch, WatchOptions } from "./bucket.ts";
export type {
    AnswerOptions,
    AskOptions,
    Bus,
    BusLog,
    BusMetrics,
    BusOptions,
    BusStatus,
    ConsumedMessage,
    ConsumeHandlers,
    Consumer,
    PublishedMessage,
    RequestHandler,
    RequestOutcome,
    Stoppable,
    TailOptions,
} from "./bus.ts";
export { connectBus } from "./connect.ts";
export { countConsumers } from "./count-consumers.ts";
export type { BusLayout } from "./layout.ts";
export { createSeed, publicKeyOf, type Nkey } from "./nkey.ts";
export { natsPermissions, type BusUser } from "./permissions.ts";
export { storedMessages, type StoredMessage } from "./stored-messages.ts";
