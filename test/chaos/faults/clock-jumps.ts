// The wall clock of every service, NATS excepted, an hour off for 20 s.
import { setTimeout as delay } from "node:timers/promises";
import type { Stage } from "../stage.ts";
import { type Fault, nobody } from "./fault.ts";

const HOUR = 3_600;
const OFF_FOR = 20_000;

const jump =
    (seconds: number) =>
    async ({ clock }: Stage) => {
        clock.jump(seconds);
        await delay(OFF_FOR);
        clock.jump(0);
        await delay(clock.readAgain);
    };

export const CLOCK_JUMPS: readonly Fault[] = [
    { name: "the clock an hour ahead for 20 s, and back", costs: nobody, inject: jump(HOUR) },
    { name: "the clock an hour behind for 20 s, and back", costs: nobody, inject: jump(-HOUR) },
];
