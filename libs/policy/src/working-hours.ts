// When a user may be connected, by the clock on a wall somewhere: hours of weekdays, which daylight saving time makes longer or shorter.

/** In the order of ISO 8601, Monday first. */
export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

interface Span {
    readonly days: readonly (typeof WEEKDAYS)[number][];
    /** `07:30`. */
    readonly from: string;
    /** Not included; `24:00` is the end of the day.  Later than `from`: a night is two spans. */
    readonly to: string;
}

export interface WorkingHours {
    /** IANA name, `Europe/Berlin`. */
    readonly zone: string;
    /** The user may be connected in any of these. */
    readonly spans: readonly Span[];
}

/** More than a week of days that follow one another without a break is always. */
const MAX_DAYS = 8;

/**
 * Until when the user may stay, in milliseconds since 1970, at `now`, likewise; `"closed"` where it may not be connected then,
 * `"always"` where the spans leave no gap.
 */
export function openUntil({ zone, spans }: WorkingHours, now: number): number | "closed" | "always" {
    const at = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(zone);
    let end = now;
    for (let day = 0; day < MAX_DAYS; day += 1) {
        const date = at.toPlainDate().add({ days: day });
        const openings = spans
            .filter(({ days }) => days.includes(weekdayOf(date)))
            .map(({ from, to }) => ({ from: instantOf(date, from, zone), to: instantOf(date, to, zone) }))
            .sort((a, b) => a.from - b.from);
        for (const { from, to } of openings) if (from <= end && to > end) end = to;
        // A gap before midnight: no later day can be reached.
        if (end < instantOf(date, "24:00", zone)) return end === now ? "closed" : end;
    }
    return "always";
}

function weekdayOf(date: Temporal.PlainDate): (typeof WEEKDAYS)[number] {
    return WEEKDAYS[date.dayOfWeek - 1] ?? "mon";
}

/** Where the clock is set forward over that time, the time is as much later. */
function instantOf(date: Temporal.PlainDate, time: string, zone: string): number {
    const [day, plainTime] = time === "24:00" ? [date.add({ days: 1 }), "00:00"] : [date, time];
    return day.toZonedDateTime({ timeZone: zone, plainTime }).epochMilliseconds;
}
