import { FakeClock } from "@postern/testkit";
import type { Clock } from "../src/clock.ts";

/** The service's clock on a fake one. */
export function testClock(): Clock & { readonly fake: FakeClock } {
    const fake = new FakeClock();
    return {
        fake,
        now: fake.now,
        after(milliseconds, callback) {
            const timer = fake.setTimeout(callback, milliseconds);
            return () => fake.clearTimeout(timer);
        },
    };
}
