import { describe, expect, it } from 'vitest';
import { settingsOfStage, readStage, type StageOutputs } from '../../../ops/aws/stageOutputs.ts';
import { resumeStage, suspendStage, type StageControls } from '../../../ops/aws/suspend.ts';
import { synthesizeOutputs } from '../../infra/synthesizeStage.ts';

const stage: StageOutputs = {
  apiUrl: 'https://api.example.com',
  apiId: 'api1',
  requestsPerSecond: '100',
  queueUrlBase: 'https://sqs.eu-central-1.amazonaws.com/111122223333/',
  shards: '16',
  eventQueues: '1',
  cluster: 'cluster',
  service: 'service',
  workersLeast: '2',
  workersMost: '4',
};

/** A stage whose workers take some looks to end or to start. */
function aStage(counts: readonly number[]) {
  const done: string[] = [];
  const said: string[] = [];
  let [nowMs, looked] = [0, 0];
  const controls: StageControls = {
    limitRequests: async (apiId, perSecond) => void done.push(`${apiId} ${perSecond}/s`),
    scale: async (cluster, service, { least, most, rests }) =>
      void done.push(`${cluster}/${service} ${least}–${most}${rests ? ' rests' : ''}`),
    setWorkers: async (cluster, service, count) => void done.push(`${cluster}/${service} = ${count}`),
    countWorkers: async () => counts[Math.min(looked++, counts.length - 1)] ?? 0,
  };
  const clock = {
    monotonicMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
  };
  return { done, said, dependencies: { clock, controls, say: (line: string) => void said.push(line) } };
}

describe('ops suspend', () => {
  it('stops callers first, then the scaling that would start workers again, then the workers, and waits for their end', async () => {
    const { done, said, dependencies } = aStage([2, 2, 1, 0]);

    await suspendStage(dependencies, stage);

    expect(done).toEqual(['api1 0/s', 'cluster/service 0–4 rests', 'cluster/service = 0']);
    expect(said.slice(2)).toEqual([
      '2 workers still run.',
      '1 workers still run.',
      expect.stringContaining('No worker runs.'),
    ]);
  });

  it('says so when workers do not end, and may be run again', async () => {
    const { dependencies } = aStage([1]);

    await expect(suspendStage(dependencies, stage)).rejects.toThrow('1 workers still run after 5 min');
  });
});

describe('ops resume', () => {
  it('starts workers and their scaling as the templates have them, and lets callers in when a worker runs', async () => {
    const { done, dependencies } = aStage([0, 0, 1]);

    await resumeStage(dependencies, stage);

    expect(done).toEqual(['cluster/service = 2', 'cluster/service 2–4', 'api1 100/s']);
  });

  it('keeps callers out while no worker runs', async () => {
    const { done, dependencies } = aStage([0]);

    await expect(resumeStage(dependencies, stage)).rejects.toThrow('No worker runs after 5 min; callers stay out.');
    expect(done).not.toContain('api1 100/s');
  });
});

describe('where a stage is', () => {
  const outputs = synthesizeOutputs({});

  it('is read from the outputs that the templates have', async () => {
    const found = await readStage('test', async (stack) => outputs[stack]);

    expect(found).toMatchObject({
      requestsPerSecond: '100',
      shards: '16',
      eventQueues: '1',
      workersLeast: '2',
      workersMost: '4',
    });
    expect(settingsOfStage('test', found)).toMatchObject({ HOLDFAST_STAGE: 'test', HOLDFAST_SHARD_COUNT: '16' });
  });

  it('is said to be nowhere when there is no such stack, or one of another version', async () => {
    await expect(readStage('prod', async () => undefined)).rejects.toThrow(
      'There is no stack prod-api: name the region of the stage with --region, or deploy it first.',
    );
    await expect(readStage('prod', async () => ({}))).rejects.toThrow('The stack prod-api has no output ApiAddress');
  });
});
