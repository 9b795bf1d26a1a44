import { describe, expect, it } from 'vitest';
import { processAccess } from '../../infra/access/access.ts';
import { operatorAccess } from '../../infra/access/operatorAccess.ts';
import { runContract } from './contractRun.ts';
import { explanations } from './explanations.ts';

describe('the product, as it runs', () => {
  it('calls nothing that its roles are not allowed, and is allowed nothing that it does not call without a reason', async () => {
    const ledger = await runContract(() => undefined);

    const { notAllowed, unexplained, wrongExplanations, used } = ledger.judge(explanations);
    expect([...notAllowed.keys()]).toEqual([]);
    expect(unexplained).toEqual([]);
    expect(wrongExplanations).toEqual([]);
    expect(new Set([...used.keys()].map((name) => name.split(' ')[0]))).toEqual(
      // The canary asks the API alone.
      new Set([...Object.keys(processAccess), ...Object.keys(operatorAccess)].filter((name) => name !== 'canary')),
    );
  });
});
