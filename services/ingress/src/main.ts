// Entry point: node services/ingress/src/main.ts --config <postern.yaml> --instance <id>
import { runService, sweepBuffersAtOnce } from "@postern/service";
import { Ingress } from "./service.ts";

sweepBuffersAtOnce();
await runService("ingress", (context) => new Ingress(context));
