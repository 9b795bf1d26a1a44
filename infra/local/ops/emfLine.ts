import { z } from 'zod';

/** Values of one metric under its dimensions, as a process wrote them. */
export interface Sample {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** The time of the values, in milliseconds since 1970. */
  readonly atMs: number;
  readonly values: readonly number[];
}

const envelopeSchema = z
  .object({
    _aws: z.object({
      Timestamp: z.number(),
      CloudWatchMetrics: z.array(
        z.object({
          Namespace: z.string(),
          Dimensions: z.array(z.array(z.string())),
          Metrics: z.array(z.object({ Name: z.string() })),
        }),
      ),
    }),
  })
  .loose();

/** Whether a line may hold metrics. */
export function isMetrics(line: string): boolean {
  return line.startsWith('{"_aws"');
}

/** The metrics in a line of a log, as CloudWatch finds them; none when the line is not in Embedded Metric Format. */
export function samplesOf(line: string): readonly Sample[] {
  if (!isMetrics(line)) return [];
  const parsed = envelopeSchema.safeParse(parseJson(line));
  if (!parsed.success) return [];
  const { _aws: envelope, ...fields } = parsed.data;
  return envelope.CloudWatchMetrics.flatMap(({ Namespace: namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap((names) =>
      Metrics.flatMap(({ Name: name }) => {
        const values = numbersIn(fields[name]);
        if (values.length === 0) return [];
        const dimensions = Object.fromEntries(names.map((dimension) => [dimension, String(fields[dimension])]));
        return [{ namespace, name, dimensions, atMs: envelope.Timestamp, values }];
      }),
    ),
  );
}

function numbersIn(value: unknown): readonly number[] {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  return all.filter((each): each is number => typeof each === 'number' && Number.isFinite(each));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
