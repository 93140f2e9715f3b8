// Child processes that cannot outlive the test.
import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";

/**
 * `spawn`, with the kernel told to kill the child when this process ends in whatever way (also by SIGKILL or by the
 * test runner's time limit), so that an interrupted test run leaves nothing behind.  Linux only: the `setpriv` of
 * util-linux sets the parent-death signal and becomes the command, so the child's process id is the command's.
 */
export function spawnBound(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    return spawn("setpriv", ["--pdeathsig", "KILL", "--", command, ...args], options);
}
