// The same options for every socket of a service, and one complaint where they cannot be had.
import type { Socket } from "node:net";
import type { TcpAvailability } from "./addon.ts";
import { type TcpOptions, tune } from "./tune.ts";

export class SocketTuner {
    readonly #options: TcpOptions;
    readonly #onLimited: (reason: string) => void;
    readonly #tcp: TcpAvailability | undefined;
    #complained = false;

    /** `onLimited` is told once, for the first socket that does not get all of `options`. */
    constructor(options: TcpOptions, onLimited: (reason: string) => void, tcp?: TcpAvailability) {
        this.#options = options;
        this.#onLimited = onLimited;
        this.#tcp = tcp;
    }

    tune(socket: Socket): void {
        const outcome = tune(socket, this.#options, this.#tcp);
        if (outcome.kind !== "limited" || this.#complained) return;
        this.#complained = true;
        this.#onLimited(outcome.reason);
    }
}
