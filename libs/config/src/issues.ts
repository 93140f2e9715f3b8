// zod's issues in the words of an administrator.
import type { z } from "zod";
import type { Path } from "./yaml-source.ts";
import { keysAt } from "./schema-tree.ts";

export interface Finding {
    readonly path: Path;
    readonly message: string;
}

/** One finding for each thing that must be changed in the file. */
export function findings(root: z.core.$ZodType, issues: readonly z.core.$ZodIssue[]): Finding[] {
    return issues.flatMap((issue): Finding[] => {
        if (issue.code === "unrecognized_keys") {
            const known = keysAt(root, issue.path);
            return issue.keys.map((key) => ({
                path: [...issue.path, key],
                message: `unknown key; known here: ${known.toSorted().join(", ")}`,
            }));
        }
        if (issue.code === "invalid_union" && issue.errors.length > 0) {
            // The nearest option is the one with the least to change.
            const [nearest = []] = issue.errors.toSorted((a, b) => a.length - b.length);
            return findings(
                root,
                nearest.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })),
            );
        }
        return [{ path: issue.path, message: sentence(issue) }];
    });
}

function sentence(issue: z.core.$ZodIssue): string {
    if (issue.code !== "invalid_type" || issue.input !== undefined)
        return issue.message.replace(/^Invalid input: /, "");
    return `missing: ${issue.message.replace(/^Invalid input: /, "").replace(/, received undefined$/, "")}`;
}
