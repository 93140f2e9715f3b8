// What is asked of a server, and what became of it.
import type { Attribute, CODE, Packet, RandomRequest } from "@postern/radius";

/** What attributes are hidden with; another one for each request. */
export interface RequestSecrets {
    /** 16 bytes. */
    readonly authenticator: Uint8Array;
    readonly secret: Uint8Array;
}

/** A request before it is known which server gets it. */
export type RadiusRequest = {
    /** Codes of replies to it; others are not believed. */
    readonly replies: readonly number[];
} & (
    | {
          readonly code: RandomRequest["code"];
          /** Called for each server that is asked. */
          readonly attributes: (secrets: RequestSecrets) => readonly Attribute[];
      }
    | { readonly code: typeof CODE.accountingRequest; readonly attributes: () => readonly Attribute[] }
);

export interface RadiusReply extends RequestSecrets {
    /** `host:port` of who sent it. */
    readonly server: string;
    /** Verified. */
    readonly packet: Packet;
}

/** What became of it on one socket. */
export type SocketOutcome =
    | ExchangeOutcome
    /** The connection broke on which the server may have had it; on another one it may be asked again. */
    | { readonly kind: "lost"; readonly error: Error };

export type ExchangeOutcome =
    | { readonly kind: "reply"; readonly reply: RadiusReply }
    /** No reply verified until nobody waited any more. */
    | { readonly kind: "ended" }
    | { readonly kind: "unreachable"; readonly error: Error }
    /** As many requests wait for the server as may. */
    | { readonly kind: "full" };
