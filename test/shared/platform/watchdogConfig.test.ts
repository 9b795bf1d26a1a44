import { describe, expect, it } from 'vitest';
import { watchdogConfig, workerConfig } from '../../../shared/platform/config.ts';
import { rules } from '../../functions/watchdog/builders.ts';

const needed = {
  HOLDFAST_STAGE: 'test',
  HOLDFAST_QUEUE_URL_BASE: 'https://sqs.us-east-1.amazonaws.com/000000000000/',
  HOLDFAST_ECS_CLUSTER: 'arn:aws:ecs:us-east-1:000000000000:cluster/test',
};

describe('the settings of the watchdog', () => {
  it('have the numbers of the requirements if nothing else is said', () => {
    expect(watchdogConfig(needed)).toMatchObject({ rules, ecsCluster: needed.HOLDFAST_ECS_CLUSTER, stage: 'test' });
  });

  it.each([
    [{ HOLDFAST_WATCHDOG_DEATH_MS: '16000' }, 'HOLDFAST_WATCHDOG_DEATH_MS: must leave room after HOLDFAST_FENCE_MS'],
    [{ HOLDFAST_FENCE_MS: '24000' }, 'HOLDFAST_WATCHDOG_DEATH_MS: must leave room after HOLDFAST_FENCE_MS'],
    [{ HOLDFAST_WATCHDOG_DEATH_MS: '41000' }, 'HOLDFAST_WATCHDOG_DEATH_MS: must fit into a run'],
    [{ HOLDFAST_DIGEST_MS: '30001' }, 'HOLDFAST_WATCHDOG_STALE_MS: must let two digests fail'],
    [{ HOLDFAST_DIGEST_SUSPECT_MS: '90000' }, 'HOLDFAST_DIGEST_SUSPECT_MS: must be below HOLDFAST_WATCHDOG_STALE_MS'],
    [{ HOLDFAST_WATCHDOG_RESTART_REST_MS: '59999' }, 'HOLDFAST_WATCHDOG_RESTART_REST_MS: must let two digests come'],
    [{ HOLDFAST_WATCHDOG_RECOVERED_MS: '239999' }, 'HOLDFAST_WATCHDOG_RECOVERED_MS: must be longer than a fault'],
    [{ HOLDFAST_WATCHDOG_CONNECTING_MS: '240000' }, 'HOLDFAST_WATCHDOG_RECOVERED_MS: must be longer than a fault'],
    [{ HOLDFAST_WATCHDOG_STALE_MS: '-1' }, 'HOLDFAST_WATCHDOG_STALE_MS: '],
    [{ HOLDFAST_WATCHDOG_STALL_MS: '1' }, 'HOLDFAST_WATCHDOG_STALL_MS: there is no such setting'],
    [{ HOLDFAST_ECS_CLUSTER: '' }, 'HOLDFAST_ECS_CLUSTER: '],
  ])('%j is refused with the variable and the rule', (wrong, sentence) => {
    expect(() => watchdogConfig({ ...needed, ...wrong })).toThrow(sentence);
  });

  it('say to a worker how often it writes its digest, and whom it names in it', () => {
    const config = workerConfig({
      ...needed,
      HOLDFAST_ECS_CLUSTER: '',
      HOLDFAST_TASK_ID: 'task',
      HOLDFAST_KEY_FILE: '/key',
      HOLDFAST_DIGEST_MS: '1000',
    });

    expect(config.digest).toEqual({ everyMs: 1_000, suspectMs: 60_000 });
  });
});
