// Prometheus metrics: every name begins with `postern_<service>_`, every metric has a help text.
import { InvariantError } from "@postern/errors";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

export interface MetricsOptions {
    readonly service: string;
    readonly instance: string;
    /** Metrics of the process itself (memory, event loop, descriptors); on by default. */
    readonly processMetrics?: boolean;
}

interface Described<Label extends string> {
    /** Without the prefix, in Prometheus form: `sessions`, `connections_total`, `handshake_seconds`. */
    readonly name: string;
    /** One sentence. */
    readonly help: string;
    readonly labels?: readonly Label[];
}

type Labels<Label extends string> = Readonly<Record<Label, string>>;

/** One series of a counter that is read. */
export interface Sample<Label extends string = never> {
    readonly value: number;
    readonly labels?: Labels<Label>;
}

export interface CounterMetric<Label extends string = never> {
    add(amount?: number, labels?: Labels<Label>): void;
}

export interface GaugeMetric<Label extends string = never> {
    set(value: number, labels?: Labels<Label>): void;
    add(amount: number, labels?: Labels<Label>): void;
}

export interface HistogramMetric<Label extends string = never> {
    /** Seconds, as Prometheus has it. */
    observe(value: number, labels?: Labels<Label>): void;
}

export interface Metrics {
    /** The name must end in `_total`.  `read`, if given, is asked at every scrape for the totals that somebody else keeps. */
    counter<Label extends string = never>(
        metric: Described<Label> & { readonly read?: () => readonly Sample<Label>[] },
    ): CounterMetric<Label>;
    /** `read`, if given, is asked at every scrape. */
    gauge<Label extends string = never>(
        metric: Described<Label> & { readonly read?: () => number },
    ): GaugeMetric<Label>;
    histogram<Label extends string = never>(
        metric: Described<Label> & { readonly buckets: readonly number[] },
    ): HistogramMetric<Label>;
    /** The text that `/metrics` answers with, and its content type. */
    expose(): Promise<string>;
    readonly contentType: string;
}

export function createMetrics({ service, instance, processMetrics = true }: MetricsOptions): Metrics {
    const registry = new Registry();
    registry.setDefaultLabels({ instance });
    const prefix = `postern_${service.replaceAll("-", "_")}_`;
    if (processMetrics) collectDefaultMetrics({ register: registry, prefix });
    const common = <Label extends string>({ name, help, labels = [] }: Described<Label>) => ({
        name: `${prefix}${name}`,
        help,
        labelNames: [...labels],
        registers: [registry],
    });
    return {
        counter<Label extends string>({
            read,
            ...metric
        }: Described<Label> & { readonly read?: () => readonly Sample<Label>[] }) {
            if (!metric.name.endsWith("_total")) throw new InvariantError(`counter ${metric.name} must end in _total`);
            const collect = (): void => {
                counter.reset();
                for (const { value, labels } of read?.() ?? []) counter.inc({ ...labels }, value);
            };
            const counter: Counter = new Counter<string>({
                ...common(metric),
                ...(read === undefined ? {} : { collect }),
            });
            return { add: (amount = 1, labels) => (labels ? counter.inc(labels, amount) : counter.inc(amount)) };
        },
        gauge<Label extends string>({ read, ...metric }: Described<Label> & { readonly read?: () => number }) {
            const gauge: Gauge = new Gauge<string>({
                ...common(metric),
                ...(read === undefined ? {} : { collect: () => gauge.set(read()) }),
            });
            return {
                set: (value, labels) => (labels ? gauge.set(labels, value) : gauge.set(value)),
                add: (amount, labels) => (labels ? gauge.inc(labels, amount) : gauge.inc(amount)),
            };
        },
        histogram<Label extends string>({
            buckets,
            ...metric
        }: Described<Label> & { readonly buckets: readonly number[] }) {
            const histogram = new Histogram<string>({ ...common(metric), buckets: [...buckets] });
            return {
                observe: (value, labels) => (labels ? histogram.observe(labels, value) : histogram.observe(value)),
            };
        },
        expose: () => registry.metrics(),
        contentType: registry.contentType,
    };
}
