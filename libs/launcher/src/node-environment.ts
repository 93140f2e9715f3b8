// What children get on top of our own environment.
import { fileURLToPath } from "node:url";

const CACHE = fileURLToPath(new URL("../../../.cache/node-compile", import.meta.url));

/** Node keeps what it compiled, by content: a service that is started again is there in half the time. */
export const nodeEnvironment = (): NodeJS.ProcessEnv => ({ NODE_COMPILE_CACHE: CACHE, ...process.env });
