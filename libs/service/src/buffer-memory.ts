// How V8 gives back the memory of what was read from sockets.
import { setFlagsFromString } from "node:v8";

/**
 * For processes that receive hundreds of megabytes a second: every read is a buffer of its own, dead when it has been passed on.
 * V8 sweeps dead buffers on another thread and counts them as used until then; so many come meanwhile that it takes the
 * process for one short of memory and marks its whole heap many times a second.  Swept at once they are not in the way.
 */
export function sweepBuffersAtOnce(): void {
    setFlagsFromString("--no-concurrent-array-buffer-sweeping");
}
