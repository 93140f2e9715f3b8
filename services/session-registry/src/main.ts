import { runService } from "@postern/service";
import { createService } from "./service.ts";

await runService("session-registry", createService);
