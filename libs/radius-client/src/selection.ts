// In which order servers are asked.  Pure but for its random numbers.

export interface Candidate {
    readonly isUsable: boolean;
    /** The lowest first. */
    readonly priority: number;
    /** Share among those of the same priority. */
    readonly weight: number;
}

/** All of them: first those that are usable, then, as nothing better is left, those that are not. */
export function inOrder<Server extends Candidate>(servers: readonly Server[], random: () => number): Server[] {
    const usable = servers.filter(({ isUsable }) => isUsable);
    const others = servers.filter(({ isUsable }) => !isUsable);
    return [...byPriority(usable, random), ...byPriority(others, random)];
}

function byPriority<Server extends Candidate>(servers: readonly Server[], random: () => number): Server[] {
    const priorities = [...new Set(servers.map(({ priority }) => priority))].sort((one, other) => one - other);
    return priorities.flatMap((priority) =>
        shuffled(
            servers.filter((server) => server.priority === priority),
            random,
        ),
    );
}

/** Each place goes to one of those that are left, in proportion to their weights. */
function shuffled<Server extends Candidate>(servers: readonly Server[], random: () => number): Server[] {
    const left = [...servers];
    const order: Server[] = [];
    while (left.length > 0) {
        let point = random() * left.reduce((sum, { weight }) => sum + weight, 0);
        const at = left.findIndex(({ weight }) => (point -= weight) < 0);
        order.push(...left.splice(Math.max(0, at), 1));
    }
    return order;
}
