// What tshark, which is not ours, makes of the bytes on the wire: it decrypts TLS with the key log and decodes HTTP,
// SSTP and PPP.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** [MS-SSTP] 2.2.2. */
const MESSAGES: Readonly<Record<number, SstpMessage>> = {
    1: "call-connect-request",
    2: "call-connect-ack",
    3: "call-connect-nak",
    4: "call-connected",
    5: "call-abort",
    6: "call-disconnect",
    7: "call-disconnect-ack",
    8: "echo-request",
    9: "echo-response",
};
/** Of `_ws.expert.severity` and `_ws.expert.group`; retransmissions and the like are below this severity. */
const SEVERITY_ERROR = 0x0080_0000;
const GROUP_MALFORMED = 0x0700_0000;
const OUTPUT_LIMIT = 256 * 1024 * 1024;
const FIELDS = [
    "frame.number",
    "frame.time_relative",
    "tcp.srcport",
    "frame.protocols",
    "sstp.messagetype",
    "_ws.expert.severity",
    "_ws.expert.group",
    "_ws.expert.message",
] as const;

type SstpMessage =
    | "call-connect-request"
    | "call-connect-ack"
    | "call-connect-nak"
    | "call-connected"
    | "call-abort"
    | "call-disconnect"
    | "call-disconnect-ack"
    | "echo-request"
    | "echo-response"
    | `unknown ${number}`;

interface DissectedFrame {
    readonly number: number;
    /** Seconds since the first frame of the capture. */
    readonly seconds: number;
    readonly fromServer: boolean;
    /** Names of tshark's dissectors, outermost first; a name repeats when there are several packets in a record. */
    readonly protocols: readonly string[];
    readonly messages: readonly SstpMessage[];
    /** Marks of malformed packets and of errors. */
    readonly problems: readonly string[];
}

export interface Dissection {
    /** Frames of the port that carry HTTP or SSTP inside TLS, and every frame with a problem. */
    readonly frames: readonly DissectedFrame[];
    readonly messages: readonly { readonly fromServer: boolean; readonly message: SstpMessage }[];
    readonly problems: readonly string[];
}

/** Decodes a capture with the TLS secrets in `keyLog` (NSS key log format). */
export async function dissectSstp(capture: string, keyLog: string, port = 443): Promise<Dissection> {
    const decodeAs = [`tcp.port==${port},tls`, `tls.port==${port},http`].flatMap((rule) => ["-d", rule]);
    const fields = FIELDS.flatMap((field) => ["-e", field]);
    const filter = `tcp.port == ${port} && (http || sstp || _ws.malformed || _ws.expert.severity >= ${SEVERITY_ERROR})`;
    const args = [
        "-r",
        capture,
        "-o",
        `tls.keylog_file:${keyLog}`,
        ...decodeAs,
        "-Y",
        filter,
        "-T",
        "fields",
        ...fields,
    ];
    const { stdout } = await promisify(execFile)("tshark", [...args, "-E", "aggregator=|"], {
        maxBuffer: OUTPUT_LIMIT,
    });
    const frames = stdout
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => parseFrame(line.split("\t"), port));
    return {
        frames,
        messages: frames.flatMap(({ fromServer, messages }) => messages.map((message) => ({ fromServer, message }))),
        problems: frames.flatMap(({ number, problems }) => problems.map((problem) => `frame ${number}: ${problem}`)),
    };
}

function parseFrame(columns: readonly string[], port: number): DissectedFrame {
    const [number, seconds, sourcePort, protocols = "", types, severities, groups, messages] = columns;
    const [severity, group, message] = [split(severities), split(groups), split(messages)];
    const problems = message.filter(
        (_, index) => Number(severity[index]) >= SEVERITY_ERROR || Number(group[index]) === GROUP_MALFORMED,
    );
    return {
        number: Number(number),
        seconds: Number(seconds),
        fromServer: Number(sourcePort) === port,
        protocols: protocols.split(":"),
        messages: split(types).map((type): SstpMessage => MESSAGES[Number(type)] ?? `unknown ${Number(type)}`),
        problems: protocols.includes("_ws.malformed") ? [...problems, "malformed packet"] : problems,
    };
}

const split = (column: string | undefined): readonly string[] =>
    column === undefined || column === "" ? [] : column.split("|");
