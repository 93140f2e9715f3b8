// Builds the network, starts a process in it, names the namespaces and then does nothing until it is ended.
import { createTopology } from "./topology.ts";

await using topology = await createTopology();
const busy = topology.inside.spawn("sleep", ["600"], { stdio: "ignore" });
console.log(
    JSON.stringify({ namespaces: [topology.client.name, topology.server.name, topology.inside.name], pid: busy.pid }),
);
await new Promise((resolve) => setTimeout(resolve, 600_000));
