import { inParallel } from '../chaos/inParallel.ts';
import { mergeCalls, type Point } from './points.ts';
import { Stage, type Run } from './runCrash.ts';
import type { Scenario } from './scenarios.ts';
import type { Site } from './site.ts';

/** What became of one point; `error` when it could not be played at all. */
export type Result = { readonly point: Point } & (
  { readonly run: Run; readonly error?: undefined } | { readonly run?: undefined; readonly error: string }
);

/** The number of tries: which call comes when is a matter of chance, and a point that was missed has another one. */
const TRIES = 2;

/**
 * Plays a scenario without a crash. Throws when it does harm even so: then no crash of it says anything.
 * @param times not every run makes the same calls; those of all are put together
 */
export async function record(stage: Stage, scenario: Scenario, times: number): Promise<readonly string[]> {
  const recordings: (readonly string[])[] = [];
  for (let index = 0; index < times; index += 1) {
    const { calls, findings } = await stage.run(scenario);
    if (findings.problems.length > 0) {
      throw new Error(`${scenario.name} does not hold without a crash: ${findings.problems.join('; ')}`);
    }
    recordings.push(calls);
  }
  return mergeCalls(recordings);
}

/** Plays one point, and once more if the worker did not come to the call. */
async function play(stage: Stage, scenario: Scenario, point: Point): Promise<Result> {
  try {
    for (let attempt = 1; ; attempt += 1) {
      const run = await stage.run(scenario, point.plan);
      if (run.outcome === 'crashed' || run.findings.problems.length > 0 || attempt === TRIES) return { point, run };
    }
  } catch (error) {
    await stage.stop();
    return { point, error: String((error as Error).stack) };
  }
}

/** Plays points on some accounts side by side. Tells each result at once. */
export async function playAll(
  site: Site,
  scenarios: readonly Scenario[],
  points: readonly Point[],
  width: number,
  onResult: (result: Result) => void = () => undefined,
): Promise<readonly Result[]> {
  const idle = Array.from({ length: width }, () => new Stage(site));
  const all = [...idle];
  try {
    return await inParallel(points, width, async (point) => {
      const stage = idle.pop();
      const scenario = scenarios.find(({ name }) => name === point.scenario);
      if (stage === undefined || scenario === undefined) throw new Error(`there is no scenario ${point.scenario}`);
      const result = await play(stage, scenario, point);
      idle.push(stage);
      onResult(result);
      return result;
    });
  } finally {
    await Promise.all(all.map((stage) => stage.stop()));
  }
}

/** Whether a crash did no harm. One that did not come about did none, but shows nothing either. */
export function holds({ run }: Result): boolean {
  return run !== undefined && run.findings.problems.length === 0;
}
