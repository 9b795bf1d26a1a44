import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../infra/local/until.ts';
import { startPairedStack, type PairedStack } from './pairedStack.ts';

const SHOP = '4915100000700';
const PEOPLE = Array.from({ length: 1_000 }, (_, place) => `49151${4_000_000 + place}`);
const BYTES = 50_000;
const ALL_MS = 1_800_000;

describe('a file for a thousand people', () => {
  let stage: PairedStack;
  beforeAll(async () => {
    stage = await startPairedStack(SHOP, ...PEOPLE);
  }, ALL_MS);
  afterAll(() => stage.stop(), ALL_MS);

  it(
    'is uploaded to WhatsApp once, also when the worker is killed in the middle, and each of them opens it once',
    async () => {
      const { api, phones, connection, stack } = stage;
      const { id, upload } = await api.must('POST', '/v1/media', { bytes: BYTES, filename: 'offer.pdf' });
      const { url } = upload as { readonly url: string };
      expect((await fetch(url, { method: 'PUT', body: Buffer.alloc(BYTES, 'offer ') })).status).toBe(200);
      const lines = PEOPLE.map((number) => JSON.stringify({ to: `+${number}`, type: 'document', document: { id } }));
      const path = `/v1/connections/${connection}/bulk-sends`;

      const bulk = await api.must('POST', path, lines.join('\n'), { 'content-type': 'application/x-ndjson' });
      const read = () => api.must('GET', `${path}/${String(bulk['id'])}`);
      const done = (count: number) => until('the messages', read, (one) => Number(one['done']) >= count, ALL_MS);
      await done(PEOPLE.length / 3);
      await stack.replaceWorker(0, 'SIGKILL');
      const ended = await done(PEOPLE.length);

      const opened = await Promise.all(
        PEOPLE.map(async (number) => {
          const shown = await until(
            `the file on ${number}`,
            () => phones.messages(number),
            (all) => all.length > 0,
            ALL_MS,
          );
          const { state, complaints, bytes } = await phones.files.opened(number, shown[0]?.id ?? '', ALL_MS);
          return `${shown.length} ${state} ${bytes} ${complaints.join(' ')}`;
        }),
      );
      const stats = await phones.files.stats();
      process.stdout.write(`1,000 recipients: ${stats.uploads} upload, ${JSON.stringify(ended['counts'])}\n`);

      expect(new Set(opened)).toEqual(new Set([`1 opened ${BYTES} `]));
      expect(stats.uploads).toBe(1);
    },
    ALL_MS,
  );
});
