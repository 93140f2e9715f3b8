export { sweepBuffersAtOnce } from "./buffer-memory.ts";
export { watchPaths } from "./path-metrics.ts";
export { runService } from "./run-service.ts";
export { type Events, type Service, type ServiceContext } from "./service.ts";
