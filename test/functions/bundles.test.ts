import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleFunctions, entryNames, type Bundle } from '../../scripts/bundleFunctions.ts';
import { importBundle } from '../bench/importBundle.ts';

/**
 * Most that each bundle may weigh, in kB: about 5 % above what it is. Almost all of it is
 * zod (470), the AWS SDK (300) and, to post webhooks, undici (556). Who raises one, says what for.
 */
const BUDGETS_KB: Readonly<Record<string, number>> = {
  // Calls to stores are carried by us beside the SDK's way; that is 20 in each. Health of sends that wait, and why, pages.
  // Dead letters of all queues.
  // Brings rows of exports back.
  admin: 1_350,
  // Posts a test to a webhook on request, so it holds undici. Votes, answers, and bulk sends. Waits for events, tickets of
  // streams, replays, files that are deleted and counted. Groups, profiles and channels.
  api: 2_400,
  // Shows messages as the API does, copies files by addresses that it signs, and holds the client of S3.
  archive: 2_150,
  canary: 580,
  // Schemas of all kinds of facts and contents. Deliveries that wait for hours, and webhooks that are disabled.
  // What actions about groups, profiles and channels say in events; that is 40 in each that knows events.
  deliver: 1_970,
  // Facts are made safe, and more kinds of failures and statuses are told apart. Choices by text, parts of messages.
  // Changes of groups. Messages that a history brought, as others name them.
  ingest: 1_420,
  // Fetches files from WhatsApp, stores, counts and deletes them: undici, and the client of S3.
  media: 2_150,
  // Looks after deliveries that wait for hours.
  reconcile: 1_360,
  // Knows the refusals of files.
  dispatch: 1_390,
  // Asks CloudFormation, and answers it.
  shardCount: 850,
  taskStopped: 960,
  watchdog: 1_055,
};

describe('the Lambda bundles', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bundles-'));
  let bundles: readonly Bundle[] = [];
  beforeAll(async () => {
    bundles = await bundleFunctions(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('are one for each entry, and each keeps to its size budget', () => {
    const tooLarge = bundles.filter(({ name, bytes }) => bytes > (BUDGETS_KB[name] ?? 0) * 1_000);

    expect(bundles.map(({ name }) => name).sort()).toEqual([...entryNames()].sort());
    expect(tooLarge.map(({ name, bytes }) => `${name}: ${bytes} bytes`)).toEqual([]);
  });

  it('hold code of functions and shared and packages, and neither Baileys nor what it needs', () => {
    const strangers = bundles.flatMap(({ name, inputs }) =>
      inputs
        .filter((input) =>
          /node_modules\/(@whiskeysockets|libsignal|sharp)\/|^(?!(functions|shared|node_modules)\/)/.test(input),
        )
        .map((input) => `${name}: ${input}`),
    );

    expect(strangers).toEqual([]);
    expect(bundles.every(({ inputs }) => inputs.some((input) => /^functions\/\w+\/entry\.ts$/.test(input)))).toBe(true);
  });

  it('hold undici only where webhooks are posted and files fetched', () => {
    const withUndici = bundles.filter(({ inputs }) => inputs.some((input) => input.includes('node_modules/undici/')));

    expect(withUndici.map(({ name }) => name)).toEqual(['api', 'archive', 'deliver', 'media']);
  });

  it('hold the client of S3 only where files are stored', () => {
    const withS3 = bundles.filter(({ inputs }) => inputs.some((input) => input.includes('@aws-sdk/client-s3/')));

    expect(withS3.map(({ name }) => name)).toEqual(['archive', 'media']);
  });

  it('start by themselves, in a folder without packages', async () => {
    const started = await Promise.all(bundles.map(async ({ name, file }) => ({ name, ...(await importBundle(file)) })));

    expect(started.filter(({ handler }) => handler !== 'function')).toEqual([]);
    expect(started).toHaveLength(bundles.length);
  });
});
