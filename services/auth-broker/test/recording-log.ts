import type { Logger } from "@postern/telemetry";

export interface RecordingLog extends Logger {
    /** `level: message` of each line. */
    readonly lines: string[];
}

/** A logger that keeps its lines for the test. */
export function recordingLog(): RecordingLog {
    const lines: string[] = [];
    const at = (level: string) => (_fields: object, message: string) => void lines.push(`${level}: ${message}`);
    const log: RecordingLog = {
        lines,
        fatal: at("fatal"),
        error: at("error"),
        warn: at("warn"),
        info: at("info"),
        debug: at("debug"),
        trace: at("trace"),
        child: () => log,
    };
    return log;
}
