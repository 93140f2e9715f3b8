// Servers and clients of one test file: a server per script, closed at the end.
import { after } from "node:test";
import { parseIpv4, udpPacket } from "@postern/ip";
import { SstpClient, type SstpClientOptions } from "@postern/sstp-client";
import { createCertificateAuthority } from "@postern/testkit";
import { PASSWORD, ScriptedServer, type ServerScript } from "./scripted-server.ts";

const authority = await createCertificateAuthority();
const certificate = await authority.issue({ names: ["127.0.0.1", "vpn.example.test"] });
const servers: ScriptedServer[] = [];
after(() => Promise.all(servers.map((server) => server.close())));

export async function startServer(script: Partial<ServerScript> = {}): Promise<ScriptedServer> {
    const server = await ScriptedServer.start({ certificate, ...script });
    servers.push(server);
    return server;
}

export function optionsFor(server: ScriptedServer, options: Partial<SstpClientOptions> = {}): SstpClientOptions {
    return {
        host: "127.0.0.1",
        port: server.port,
        ca: authority.cert,
        user: "alice",
        password: PASSWORD,
        ...options,
    };
}

export const dial = (server: ScriptedServer, options: Partial<SstpClientOptions> = {}): Promise<SstpClient> =>
    SstpClient.connect(optionsFor(server, options));

/** A UDP packet, which nobody answers, with `size` octets of data. */
export function udp(source: string, destination: string, size = 4): Uint8Array {
    const ports = { sourcePort: 4000, destinationPort: 4001 };
    return udpPacket(
        { source: parseIpv4(source), destination: parseIpv4(destination), ...ports },
        new Uint8Array(size),
    );
}
