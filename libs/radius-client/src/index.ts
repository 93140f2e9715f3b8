export type { RadiusReply, RadiusRequest, RequestSecrets } from "./exchange.ts";
export type { TlsSettings } from "./client-socket.ts";
export type { GroupSettings, ServerSettings } from "./group-settings.ts";
export type { RadiusObserver } from "./observer.ts";
export { radiusDigests } from "./radius-digests.ts";
export { ServerGroup } from "./server-group.ts";
