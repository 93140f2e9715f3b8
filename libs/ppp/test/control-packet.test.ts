import fc from "fast-check";
import { fromHex } from "@postern/bytes";
import { type ControlPacket, decodeControlPacket, encodeControlPacket } from "../src/control-packet.ts";
import { PppError } from "@postern/ppp";
import { testMessageDecoder } from "@postern/testkit";

const byte = fc.integer({ min: 0, max: 0xff });

testMessageDecoder<ControlPacket>({
    name: "control packet",
    decode: decodeControlPacket,
    encode: encodeControlPacket,
    vectors: [
        { name: "no data", hex: "05 02 0004", value: { code: 5, identifier: 2, data: new Uint8Array(0) } },
        { name: "identifier 0", hex: "01 00 0006 0702", value: { code: 1, identifier: 0, data: fromHex("0702") } },
        {
            name: "padding after the length: ignored",
            hex: "05 02 0004 ffff",
            value: { code: 5, identifier: 2, data: new Uint8Array(0) },
            decodeOnly: true,
        },
    ],
    malformed: [
        { name: "nothing", hex: "", code: "PPP_BAD_LENGTH" },
        { name: "half a header", hex: "0102", code: "PPP_BAD_LENGTH" },
        { name: "length below the header", hex: "01020003", code: "PPP_BAD_LENGTH" },
        { name: "length beyond the packet", hex: "01020005", code: "PPP_BAD_LENGTH" },
    ],
    arbitrary: fc.record({ code: byte, identifier: byte, data: fc.uint8Array({ maxLength: 300 }) }),
    isOwnError: (error) => error instanceof PppError,
});
