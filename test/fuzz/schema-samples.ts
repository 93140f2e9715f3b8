// Values that a schema accepts, made from its JSON Schema: one for each way through its unions, with all that is optional.
import { z } from "zod";

interface Node {
    readonly type?: string;
    readonly const?: unknown;
    readonly enum?: readonly unknown[];
    readonly format?: string;
    readonly pattern?: string;
    readonly minimum?: number;
    readonly exclusiveMinimum?: number;
    readonly properties?: Readonly<Record<string, Node>>;
    readonly items?: Node;
    readonly anyOf?: readonly Node[];
    readonly oneOf?: readonly Node[];
    /** Only of texts that several patterns hold for. */
    readonly allOf?: readonly Node[];
}

const BY_FORMAT: Readonly<Record<string, string>> = {
    "date-time": "2026-11-23T07:39:04.542Z",
    ipv4: "192.0.2.77",
    ipv6: "2001:db8::7",
    base64: "AAECAwQFBgcICQoLDA0ODw==",
};

/** The first that a pattern allows. */
const BY_PATTERN: readonly string[] = [
    "worker-1",
    "pxq3w3tww8qaxjv1",
    "0123456789abcdef",
    "0".repeat(64),
    "2026-11-23T07:39:04.542Z",
    "2001:db8:0:7::/64",
];

/** Samples that `schema` accepts; none of a union's ways is left out. */
export function samplesOf(schema: z.ZodType): unknown[] {
    const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Node; // zod's own type is wider
    return sample(json);
}

function sample(node: Node): unknown[] {
    const ways = node.anyOf ?? node.oneOf;
    if (ways !== undefined) return ways.flatMap((way) => sample(way));
    if (node.const !== undefined) return [node.const];
    if (node.enum !== undefined) return [node.enum[0]];
    switch (node.type ?? "anything") {
        case "object":
            return objects(Object.entries(node.properties ?? {}));
        case "array":
            return [sample(node.items ?? {}).slice(0, 1)];
        case "string":
            return [text(node)];
        case "integer":
        case "number":
            return [Math.max(node.minimum ?? 0, (node.exclusiveMinimum ?? -1) + 1)];
        case "boolean":
            return [true];
        default:
            return [{ anything: [1, null, "text"] }];
    }
}

function text({ format = "", pattern, allOf = [] }: Node): string {
    const known = BY_FORMAT[format];
    if (known !== undefined) return known;
    const patterns = [pattern, ...allOf.map((one) => one.pattern)].filter((one) => one !== undefined);
    return BY_PATTERN.find((candidate) => patterns.every((one) => new RegExp(one).test(candidate))) ?? "";
}

/** As many as the field with the most ways has, each field going through its own. */
function objects(fields: readonly (readonly [string, Node])[]): unknown[] {
    const ways = fields.map(([name, node]) => [name, sample(node)] as const);
    const count = Math.max(1, ...ways.map(([, samples]) => samples.length));
    return Array.from({ length: count }, (_, index) =>
        Object.fromEntries(ways.map(([name, samples]) => [name, samples[index % samples.length]])),
    );
}
