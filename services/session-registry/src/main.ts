// Entry point: node services/session-registry/src/main.ts --config <postern.yaml> --instance <id>
import { runService } from "@postern/service";
import { createService } from "./service.ts";

await runService("session-registry", createService);
