import { buildSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { bundleOptions } from '../../infra/constructs/bundle.ts';

/** The largest had 1.55 MB when this was written. A cold start reads all of it. */
const BUDGET_BYTES = 2_000_000;

describe('bundles of functions', () => {
  it.each([
    'functions/entry/api.ts',
    'functions/entry/admin.ts',
    'functions/entry/deliver.ts',
    'functions/entry/ingest.ts',
    'functions/entry/reconcile.ts',
    'functions/entry/taskStopped.ts',
    'infra/shardCountHandler.ts',
  ])('%s is one module with a handler, within its budget, without Baileys and without CDK', (entry) => {
    const { metafile } = buildSync({ ...bundleOptions(entry), outfile: 'index.mjs', write: false, metafile: true });

    const [output, ...others] = Object.values(metafile.outputs);
    const foreign = Object.keys(metafile.inputs).filter((file) =>
      /baileys|libsignal|aws-cdk-lib|(^|\/)worker\//.test(file),
    );
    expect(others).toEqual([]);
    expect(output?.exports).toEqual(['handler']);
    expect(output?.bytes).toBeLessThan(BUDGET_BYTES);
    expect(foreign).toEqual([]);
  });
});
