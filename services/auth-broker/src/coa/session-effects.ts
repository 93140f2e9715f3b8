// What becomes of the sessions that a request means: the registry says which they are, their workers do it.
import type { Bus } from "@postern/bus";
import { registryQuery, workerDisconnect, type QueryAnswer } from "@postern/contracts";
import type { DynamicRequest } from "./dynamic-request.ts";
import { refuse, type Refusal } from "./error-cause.ts";
import type { SessionTarget } from "./session-target.ts";

type FoundSession = QueryAnswer["sessions"][number];

/** Sessions of one page: as many as a query may have. */
const PAGE = 500;

export class SessionEffects {
    readonly #bus: Pick<Bus, "ask" | "subjects">;

    constructor(bus: Pick<Bus, "ask" | "subjects">) {
        this.#bus = bus;
    }

    /**
     * Does what is asked for; `by` says who asked.  Resolves with how many sessions it was about, or why there are none.  Rejects with
     * a DependencyError when registry or workers do not answer: then it may be asked again.
     */
    async perform({ target }: DynamicRequest, by: string): Promise<number | Refusal> {
        const sessions = await this.#find(target);
        if ("refused" in sessions) return sessions;
        const found = await Promise.all(sessions.map((session) => this.#disconnect(session, by)));
        const ended = found.filter(Boolean).length;
        return ended > 0 ? ended : refuse("sessionContextNotFound", "the session has just ended");
    }

    async #find({ filter, worker }: SessionTarget): Promise<readonly FoundSession[] | Refusal> {
        const found: FoundSession[] = [];
        for (let more = true, after: string | undefined; more;) {
            const question = { ...filter, limit: PAGE, ...(after === undefined ? {} : { after }) };
            const page = await this.#bus.ask(this.#bus.subjects.registry.query, registryQuery, question);
            found.push(...page.sessions);
            ({ more } = page);
            after = page.sessions.at(-1)?.session;
        }
        if (found.length === 0) return refuse("sessionContextNotFound", "no session fits");
        const here = worker === undefined ? found : found.filter((session) => session.worker === worker);
        if (here.length > 0) return here;
        return refuse("nasIdentificationMismatch", `the session is not on ${JSON.stringify(worker)}`);
    }

    async #disconnect({ session, epoch, worker }: FoundSession, by: string): Promise<boolean> {
        const question = { session, epoch, reason: "radius-disconnect", by } as const;
        const { found } = await this.#bus.ask(
            this.#bus.subjects.worker(worker, "disconnect"),
            workerDisconnect,
            question,
        );
        return found;
    }
}
