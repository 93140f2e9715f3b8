// What an administrator did is a fact for the audit log: it is in the stream before the command says that it is done.
import { randomUUID } from "node:crypto";
import type { Bus } from "@postern/bus";
import { adminAction, eventType, type CloudEvent } from "@postern/contracts";
import type { z } from "zod";
import { operator } from "./installation.ts";

type Action = Omit<z.input<typeof adminAction.data>, "by">;

/** What the contract allows; names of users can be long. */
const MAX_DETAIL = 300;

/** Every run of the command line is a source of its own with a single event, so its numbering has no gap. */
export async function recordAction(bus: Bus, action: Action): Promise<void> {
    const detail = action.detail === undefined ? {} : { detail: action.detail.slice(0, MAX_DETAIL) };
    const epoch = Date.now();
    const source = `postern/${bus.tenant}/cli/${randomUUID()}`;
    const event: CloudEvent = {
        specversion: "1.0",
        id: `${source}/${epoch}/1`,
        source,
        type: eventType(adminAction),
        subject: action.target,
        time: new Date(epoch).toISOString(),
        datacontenttype: "application/json",
        instance: bus.instance,
        epoch,
        sequence: 1,
        data: adminAction.data.parse({ ...action, ...detail, by: operator() }),
    };
    await bus.publish(bus.subjects.event(adminAction, action.target), JSON.stringify(event), { id: event.id });
}
