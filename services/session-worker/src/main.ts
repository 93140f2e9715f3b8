// Entry point: node services/session-worker/src/main.ts --config <postern.yaml> --instance <id>
import { runService, sweepBuffersAtOnce } from "@postern/service";
import { SessionWorker } from "./service.ts";

sweepBuffersAtOnce();
await runService("session-worker", (context) => new SessionWorker(context));
