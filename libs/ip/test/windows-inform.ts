// The DHCPINFORM that Windows 10 sends as soon as IPCP is open: hardware type 8 of no length, seconds in the wrong byte order, no hardware
// address, and 300 bytes of BOOTP.
import { concatBytes, encodeLatin1, fromHex, writeU32 } from "@postern/bytes";
import { parseIpv4, udpPacket } from "@postern/ip";

const BOOTP_SIZE = 300;
const OPTIONS_AT = 240;
const XID = "5c0ffee5";
const UUID = "000102030405060708090a0b0c0d0e0f";

export function windowsInform(address: string, destination = "255.255.255.255"): Uint8Array<ArrayBuffer> {
    const bootp = new Uint8Array(BOOTP_SIZE);
    bootp.set(fromHex(`01080000${XID}06000000`));
    writeU32(bootp, 12, parseIpv4(address));
    bootp.set(fromHex("63825363"), OPTIONS_AT - 4);
    const host = encodeLatin1("DESKTOP-1A2B3C4");
    const options = concatBytes(
        fromHex("350108"),
        fromHex(`3d1100${UUID}`),
        Uint8Array.of(12, host.length),
        host,
        fromHex("3c08"),
        encodeLatin1("MSFT 5.0"),
        fromHex("3706062c2b01f90f"),
        fromHex("ff"),
    );
    bootp.set(options, OPTIONS_AT);
    const ends = {
        source: parseIpv4(address),
        sourcePort: 68,
        destination: parseIpv4(destination),
        destinationPort: 67,
    };
    return udpPacket(ends, bootp);
}
