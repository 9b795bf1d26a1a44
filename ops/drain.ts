import { callApi, readFleet } from './readFleet.ts';
import { counted, Failed, span } from './sentence.ts';
import type { Target } from './target.ts';
import type { Surroundings } from '../shared/platform/surroundings.ts';

/** A worker drains within 100 s (docs/protocol.md, "Numbers"); ECS kills it after 120. */
const WAIT_MS = 120_000;
const LOOK_EVERY_MS = 500;

export interface DrainDependencies extends Pick<Surroundings, 'clock'> {
  readonly target: Target;
  readonly say: (line: string) => void;
}

/**
 * Asks a worker to drain and, on request, waits for its end. Throws Failed when the worker may not drain, or takes too
 * long.
 */
export async function drain(
  { target, clock, say }: DrainDependencies,
  workerId: string,
  options: { readonly wait: boolean },
): Promise<void> {
  const { json } = await callApi(target, 'POST', `/v1/admin/workers/${encodeURIComponent(workerId)}/drain`);
  say(`${workerId} was asked to give ${counted(Number(json['shards']), 'shard')} away and end.`);
  if (!options.wait) return;
  const startedMs = clock.monotonicMs();
  const waitedMs = (): number => clock.monotonicMs() - startedMs;
  for (let last = ''; ; await clock.sleep(LOOK_EVERY_MS)) {
    const worker = (await readFleet(target)).workers.find(({ id }) => id === workerId);
    if (worker === undefined || worker.state === 'DEAD') {
      say(
        `${workerId} has ended after ${span(waitedMs())}${worker?.proof === 'clean' ? ', with everything given away' : ''}.`,
      );
      return;
    }
    if (waitedMs() > WAIT_MS) {
      throw new Failed(`${workerId} still has ${counted(worker.shards, 'shard')} after ${span(WAIT_MS)}.`);
    }
    const now = `${worker.state}, ${counted(worker.shards, 'shard')} left`;
    if (now !== last) say(now);
    last = now;
  }
}
