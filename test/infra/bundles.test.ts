import { buildSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { bundleOptions } from '../../infra/constructs/bundle.ts';

/** The largest, that of the API, had 2.01 MB when this was written. A cold start reads all of it. */
const BUDGET_BYTES = 2_200_000;

const entries = [
  'functions/admin/entry.ts',
  'functions/api/entry.ts',
  'functions/canary/entry.ts',
  'functions/deliver/entry.ts',
  'functions/dispatch/entry.ts',
  'functions/ingest/entry.ts',
  'functions/media/entry.ts',
  'functions/reconcile/entry.ts',
  'functions/taskStopped/entry.ts',
  'functions/watchdog/entry.ts',
  'infra/stacks/shardCountEntry.ts',
];
const { metafile } = buildSync({ ...bundleOptions(...entries), outdir: 'bundles', write: false, metafile: true });
const bundles = new Map(Object.values(metafile.outputs).map((output) => [output.entryPoint, output]));

describe('bundles of functions', () => {
  it('are one file for each entry', () => {
    expect(new Set(bundles.keys())).toEqual(new Set(entries));
  });

  it('carry the HTTP client of webhooks in those alone that are made from what posts them', () => {
    const carriers = entries.filter((entry) =>
      Object.keys(bundles.get(entry)?.inputs ?? {}).some((file) => /node_modules\/undici\//.test(file)),
    );

    // The function of tenants posts the event of a test, and that of media asks WhatsApp's hosts.
    expect(carriers).toEqual(['functions/api/entry.ts', 'functions/deliver/entry.ts', 'functions/media/entry.ts']);
  });

  it.each(entries)('%s has a handler, keeps to its budget, and brings neither Baileys nor CDK', (entry) => {
    const bundle = bundles.get(entry);

    const foreign = Object.keys(bundle?.inputs ?? {}).filter((file) =>
      /baileys|libsignal|aws-cdk-lib|(^|\/)worker\//.test(file),
    );
    expect(bundle?.exports).toContain('handler');
    expect(bundle?.bytes).toBeLessThan(BUDGET_BYTES);
    expect(foreign).toEqual([]);
  });
});
