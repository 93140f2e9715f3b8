export { type TcpAvailability, tcpAvailability } from "./addon.ts";
export { type PathFigures, tcpInfo } from "./path-figures.ts";
export { type PathTotals, PathWatch, type WatchedPath } from "./path-watch.ts";
export { SocketTuner } from "./socket-tuner.ts";
export { type OnBytes, StreamReading } from "./stream-reading.ts";
export { tune, type TcpOptions, type TuneOutcome } from "./tune.ts";
