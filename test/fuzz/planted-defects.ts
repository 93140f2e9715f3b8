// A defect for every target, of the kind that a decoder can have: a check that is missing or off by one.  A fuzzer that
// does not find it finds nothing else either.
import type { TargetName } from "./fuzz-target.ts";
import type { Defect } from "./instrumentation.ts";

export const PLANTED: Readonly<Record<TargetName, Defect>> = {
    "proxy-header": {
        file: "libs/proxy-protocol/src/version-2.ts",
        from: "if (V2_FIXED_SIZE + addressSize > size)",
        to: "if (V2_FIXED_SIZE + addressSize > size + 4)",
    },
    "client-hello": {
        file: "libs/client-hello/src/byte-cursor.ts",
        from: "if (size > this.remaining)",
        to: "if (size > this.remaining + 1)",
    },
    "http-head": {
        file: "libs/sstp/src/http-head.ts",
        from: "chunk.subarray(at + 1)",
        to: "chunk.subarray(at)",
    },
    "sstp-packets": {
        file: "libs/sstp/src/attributes.ts",
        from: "return at === bytes.length ? attributes : undefined;",
        to: "return attributes;",
    },
    "sstp-call": {
        file: "libs/sstp/src/crypto-binding.ts",
        from: "return equalBytesConstantTime(callConnected.subarray(COMPOUND_MAC_AT), expected);",
        to: "return expected.length > 0;",
    },
    "ppp-codecs": {
        file: "libs/ppp/src/pap.ts",
        from: "if (at + 1 + length > data.length)",
        to: "if (at + length > data.length)",
    },
    "ppp-establish": {
        file: "libs/ppp/src/lcp-options.ts",
        from: "if (value.length !== MRU_SIZE)",
        to: "if (value.length > MRU_SIZE)",
    },
    "ppp-authenticate": {
        file: "libs/ppp/src/pap-authenticator.ts",
        from: `else if (state.kind === "deciding") this.#enter({ kind: "deciding", identifier });`,
        to: `else if (state.kind === "deciding") this.#decide(identifier, data);`,
    },
    "ppp-network": {
        file: "libs/ppp/src/ipcp.ts",
        from: "return equalBytes(value, this.#client) ? ACK : nak(this.#client);",
        to: "return value.length === 4 ? ACK : nak(this.#client);",
    },
    "ppp-client": {
        file: "libs/ppp/src/mschapv2-answer.ts",
        from: "message.slice(0, proof.length).toUpperCase() === proof",
        to: "message.length === proof.length",
    },
    "ip-packets": {
        file: "libs/ip/src/clamp-tcp-mss.ts",
        from: "if (size < 2 || size > headerSize - optionAt) break;",
        to: "if (size > headerSize - optionAt) break;",
    },
    "router-discovery": {
        file: "libs/ip/src/neighbor-option.ts",
        from: "if (end === start || end > message.length)",
        to: "if (end === start)",
    },
    "dhcp-messages": {
        file: "libs/ip/src/dhcp-message.ts",
        from: "if (at === bytes.length) return undefined;",
        to: "if (at > bytes.length) return undefined;",
    },
    "dhcpv6-messages": {
        file: "libs/ip/src/dhcpv6-message.ts",
        from: "if (bytes.length - at < OPTION_HEADER_SIZE) return undefined;",
        to: "if (bytes.length - at < 1) return undefined;",
    },
    "packet-path": {
        file: "libs/tun/src/packet-path.ts",
        from: "if (next > end || ",
        to: "if (",
    },
    "radius-packets": {
        file: "libs/radius/src/packet.ts",
        from: "at + size > bytes.length)",
        to: "at + size > bytes.length + 1)",
    },
    "radius-stream": {
        file: "libs/radius/src/packet-stream.ts",
        from: "this.#rest = left.slice();",
        to: "this.#rest = left.slice(0, 18);",
    },
    "eap-packets": {
        file: "libs/eap/src/mschapv2-packet.ts",
        from: "checkedLength(data) < nameAt || readU8(data, HEADER_SIZE) !== size",
        to: "checkedLength(data) < nameAt",
    },
    "bus-messages": {
        file: "libs/bus/src/json.ts",
        from: "if (isDeeperThan(value, MAX_DEPTH))",
        to: "if (isDeeperThan(value, 100_000))",
    },
    "stored-records": {
        file: "libs/outbox/src/segment-scan.ts",
        from: "(next ?? bytes.length) - at",
        to: "(next ?? bytes.length) - at - 1",
    },
};

/**
 * Six octets after each other have to be right: nothing that only tries at random gets there within the age of the
 * universe, and a fuzzer that sees which branches were taken does within seconds.
 */
export const DEEP: Defect = {
    file: "libs/proxy-protocol/src/decode.ts",
    from: "if (bytes.length === 0) return undefined;",
    to: `
        if (bytes[0] === 0x66) if (bytes[1] === 0x75) if (bytes[2] === 0x7a) if (bytes[3] === 0x7a)
            if (bytes[4] === 0x65) if (bytes[5] === 0x64) throw new TypeError("deep inside");
        if (bytes.length === 0) return undefined;`,
};
