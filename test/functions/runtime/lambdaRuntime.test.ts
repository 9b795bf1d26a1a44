import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serveCalls, tellOfFailedStart } from '../../../functions/runtime/lambdaRuntime.ts';
import { until } from '../../whatsapp/until.ts';
import { RuntimeApi } from './runtimeApi.ts';

describe('a function in an image of its own', () => {
  const lambda = new RuntimeApi();
  let api = '';
  beforeEach(async () => {
    api = await lambda.start();
  });
  afterEach(() => lambda.stop());

  it('serves one call after the other, also after one that failed, and is told the trace of each', async () => {
    lambda.calls.push({ number: 1 }, { number: 2 }, { number: 3 });
    const traces: (string | undefined)[] = [];
    const stopping = new AbortController();
    const handler = ({ number }: { readonly number: number }) =>
      number === 2 ? Promise.reject(new RangeError('no two')) : Promise.resolve({ took: number });

    const served = serveCalls({ api, handler, noteTrace: (trace) => void traces.push(trace) }, stopping.signal);
    await until(
      'three answers',
      () => lambda.posted.length,
      (count) => count === 3,
    );
    stopping.abort();
    await served;

    expect(lambda.posted).toEqual([
      { path: '/2018-06-01/runtime/invocation/1/response', body: { took: 1 }, errorType: undefined },
      {
        path: '/2018-06-01/runtime/invocation/2/error',
        body: { errorType: 'RangeError', errorMessage: 'no two', stackTrace: expect.any(Array) },
        errorType: 'RangeError',
      },
      { path: '/2018-06-01/runtime/invocation/3/response', body: { took: 3 }, errorType: undefined },
    ]);
    expect(traces).toEqual(['Root=1', 'Root=2', 'Root=3']);
  });

  it('says why it could not start', async () => {
    await tellOfFailedStart(api, new Error('HOLDFAST_STAGE is missing'));

    expect(lambda.posted.at(-1)).toMatchObject({
      path: '/2018-06-01/runtime/init/error',
      body: { errorMessage: 'HOLDFAST_STAGE is missing' },
    });
  });
});
