import fc from "fast-check";
import { fromHex, toHex } from "@postern/bytes";
import { CODE, encodePacket, PacketStream, RadiusError } from "@postern/radius";
import { testPushDecoder } from "@postern/testkit";

const authenticator = "00112233445566778899aabbccddeeff";

testPushDecoder<string>({
    name: "packets of a stream",
    create() {
        const stream = new PacketStream();
        return { push: (chunk) => stream.push(chunk).map((packet) => toHex(packet)) };
    },
    encode: (packet) => fromHex(packet),
    vectors: [
        ["the shortest", `02070014${authenticator}`],
        ["with an attribute", `02080019${authenticator}0b05616263`],
    ].map(([name = "", hex = ""]) => ({ name, hex, value: hex })),
    malformed: [
        { name: "shorter than a header", hex: `02070013${authenticator}`, code: "RADIUS_BAD_PACKET" },
        { name: "longer than RADIUS allows", hex: "02071001", code: "RADIUS_BAD_PACKET" },
        { name: "something else than RADIUS", hex: "485454502f312e31", code: "RADIUS_BAD_PACKET" },
    ],
    arbitrary: fc
        .array(fc.record({ type: fc.nat(255), value: fc.uint8Array({ maxLength: 253 }) }), { maxLength: 8 })
        .map((attributes) =>
            toHex(
                encodePacket({
                    code: CODE.accessAccept,
                    identifier: 7,
                    authenticator: fromHex(authenticator),
                    attributes,
                }),
            ),
        ),
    isOwnError: (error) => error instanceof RadiusError,
});
