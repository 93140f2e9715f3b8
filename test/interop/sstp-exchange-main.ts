// sstp-exchange-main.ts DIRECTORY HEX...: a TLS server and a client on loopback port 443 exchange an SSTP handshake;
// then the client sends the packets given in hexadecimal.  Takes key.pem and cert.pem from DIRECTORY, leaves keys.log.
import { once } from "node:events";
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import tls, { type TLSSocket } from "node:tls";

const [directory = "", ...packets] = process.argv.slice(2);
const [key, cert] = ["key.pem", "cert.pem"].map((name) => readFileSync(join(directory, name)));
const REQUEST = [
    "SSTP_DUPLEX_POST /sra_{BA195980-CD49-458b-9E23-C84EE0ADCD75}/ HTTP/1.1",
    "SSTPCORRELATIONID: {C5B4000A-14F4-981B-D77E-637000000000}",
    "Content-Length: 18446744073709551615",
    "Host: vpn.test",
    "",
    "",
].join("\r\n");
const RESPONSE = "HTTP/1.1 200 \r\nContent-Length: 18446744073709551615\r\nServer: test\r\n\r\n";
// [MS-SSTP] 2.2.9 with PPP as the encapsulated protocol, and 2.2.10 with a crypto binding request (both hashes).
const CONNECT_REQUEST = "1001000e00010001000100060001";
const CONNECT_ACK = `10010030000200010004002800000003${"5a".repeat(32)}`;

const server = tls.createServer({ key, cert });
server.listen(443, "127.0.0.1");
await once(server, "listening");
const accepted = once(server, "secureConnection");
const client = tls.connect({ port: 443, host: "127.0.0.1", rejectUnauthorized: false });
client.on("keylog", (line) => appendFileSync(join(directory, "keys.log"), line));
await once(client, "secureConnect");
const [peer] = (await accepted) as [TLSSocket]; // what "secureConnection" carries

// One record at a time, each taken up by the other side before the next.
await send(client, peer, Buffer.from(REQUEST));
await send(peer, client, Buffer.from(RESPONSE));
await send(client, peer, Buffer.from(CONNECT_REQUEST, "hex"));
await send(peer, client, Buffer.from(CONNECT_ACK, "hex"));
for (const packet of packets) await send(client, peer, Buffer.from(packet, "hex"));
client.end();
peer.end();
server.close();

async function send(from: TLSSocket, to: TLSSocket, bytes: Buffer): Promise<void> {
    const arrived = once(to, "data");
    from.write(bytes);
    await arrived;
}
