// What goes wrong, and what it may cost by design: the sessions of a dead worker, the connections of a dead ingress, nothing else.
import { BUS_OUTAGES } from "./bus-outages.ts";
import { CLOCK_JUMPS } from "./clock-jumps.ts";
import { DEATHS } from "./deaths.ts";
import type { Fault } from "./fault.ts";
import { FLOODS } from "./floods.ts";
import { FULL_DISKS } from "./full-disks.ts";

export const ALL_FAULTS: readonly Fault[] = [...DEATHS, ...BUS_OUTAGES, ...FULL_DISKS, ...CLOCK_JUMPS, ...FLOODS];
