// Entry point: node services/ingress/src/main.ts --config <postern.yaml> --instance <id>
import { runService } from "@postern/service";
import { Ingress } from "./service.ts";

await runService("ingress", (context) => new Ingress(context));
