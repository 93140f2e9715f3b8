export { ERROR_CATALOGUE, type ErrorCode } from "./catalogue.ts";
export { ConfigError, DependencyError, InvariantError, PeerError, PosternError } from "./errors.ts";
