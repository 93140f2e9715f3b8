import { runService } from "@postern/service";
import { createBroker } from "./service.ts";

await runService("auth-broker", createBroker);
