export { createLogger, type Logger, type LoggerOptions, type LogLevel } from "./logger.ts";
export {
    createMetrics,
    type CounterMetric,
    type GaugeMetric,
    type HistogramMetric,
    type Metrics,
    type MetricsOptions,
    type Sample,
} from "./metrics.ts";
export { PeerLines, type PeerLinesOptions } from "./peer-lines.ts";
export { RateLimit } from "./rate-limit.ts";
export { REDACTED } from "./redaction.ts";
