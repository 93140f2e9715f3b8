export { openOutbox } from "./open-outbox.ts";
export type { AdoptOptions, EventStream, Outbox, OutboxLog, OutboxOptions, OutboxStatistics } from "./outbox.ts";
