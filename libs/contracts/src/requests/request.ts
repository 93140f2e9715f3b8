// What a request is: the schema of the question, the schema of the answer, and how long the asker waits.
import type { z } from "zod";

export interface RequestContract<Question extends z.ZodType, Answer extends z.ZodType> {
    readonly question: Question;
    readonly answer: Answer;
    /** Milliseconds after which the asker gives up. */
    readonly timeout: number;
}

export const defineRequest = <Question extends z.ZodType, Answer extends z.ZodType>(
    contract: RequestContract<Question, Answer>,
): RequestContract<Question, Answer> => contract;
