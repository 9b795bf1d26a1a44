import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isMetrics, samplesOf } from './emfLine.ts';
import { MINUTES_KEPT, type MetricStore } from './metricStore.ts';

/**
 * Reads the figures of the run before from its logs into the store, so that a restart does not look like a loss.
 * Figures that this process measures in the place of AWS (answers of the API, depths of queues) stand in no log, and
 * begin anew.
 */
export async function readEarlierFigures(
  folder: string,
  store: Pick<MetricStore, 'add'>,
  nowMs: number,
): Promise<void> {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    if (statSync(file).mtimeMs < nowMs - MINUTES_KEPT * 60_000) continue;
    for await (const line of createInterface({ input: createReadStream(file) })) {
      if (isMetrics(line)) for (const sample of samplesOf(line)) store.add(sample);
    }
  }
}
