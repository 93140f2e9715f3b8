/** Runs `job` for 0 to `count` - 1, `concurrency` at once; rejects with the first failure, and then begins no more. */
export async function inParallel(
    count: number,
    concurrency: number,
    job: (index: number) => Promise<void>,
): Promise<void> {
    let next = 0;
    let failed = false;
    const work = async (): Promise<void> => {
        while (next < count && !failed) {
            next += 1;
            try {
                await job(next - 1);
            } catch (error) {
                failed = true;
                throw error;
            }
        }
    };
    await Promise.all(Array.from({ length: Math.min(count, concurrency) }, work));
}
