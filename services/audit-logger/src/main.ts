// Entry point: node services/audit-logger/src/main.ts --config <postern.yaml> --instance <id>
import { runService } from "@postern/service";
import { AuditLogger } from "./service.ts";

await runService("audit-logger", (context) => new AuditLogger(context));
