import { gunzipSync, inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../infra/local/until.ts';
import { makeDocumentClient } from '../../shared/platform/aws.ts';
import { scanItems, type Item } from '../../shared/platform/pages.ts';
import { tableName } from '../../shared/platform/tables.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { startPairedStack, type PairedStack } from './pairedStack.ts';

const SHOP = '4915100000071';
const ANN = '4915100000072';
const BEN = '4915100000073';
const GROUP = '120363000000000071@g.us';
const LONG_AGO = 1_700_000_000;
const WAIT_MS = 180_000;

describe('what is erased, and what goes with a connection, on the embedded stack', () => {
  let stage: PairedStack;
  beforeAll(async () => {
    stage = await startPairedStack(SHOP, ANN, BEN);
  });
  afterAll(() => stage.stop());

  const core = async (): Promise<readonly Item[]> => {
    const dynamoDb = { endpoint: stage.stack.dynamoDbEndpoint };
    const client = makeDocumentClient(aStoreConfig({ dynamoDb }));
    const rows = await Array.fromAsync(scanItems(client, { TableName: tableName(stage.stack.stage, 'core') }));
    client.destroy();
    return rows;
  };
  /** The kinds of partitions that have a text in any of their rows, also where it is packed. */
  const kindsWith = async (text: string): Promise<readonly string[]> => {
    const rows = (await core()).filter((row) => textOf(row).includes(text));
    return [...new Set(rows.map(({ pk }) => String(pk).split('#')[0] ?? ''))].toSorted();
  };
  const ended = (path: string) =>
    until(
      `the end of ${path}`,
      () => stage.api.must('GET', path),
      ({ state }) => state === 'done',
      WAIT_MS,
    );
  const send = async (to: string, body: string): Promise<void> => {
    const path = `/v1/connections/${stage.connection}/messages`;
    const { id } = await stage.api.must('POST', path, { to: `+${to}`, type: 'text', text: { body } });
    await until(
      'an end of the message',
      () => stage.api.must('GET', `${path}/${String(id)}`),
      ({ status }) => status === 'delivered',
      WAIT_MS,
    );
  };
  const fileOf = async (path: string): Promise<Buffer> => {
    const headers = { authorization: `Bearer ${stage.api.key}` };
    const answer = await fetch(`${stage.stack.apiUrl}${path}`, { headers });
    expect(answer.status).toBe(200);
    return Buffer.from(await answer.arrayBuffer());
  };

  it('brings a history, and a message to each of two people', async () => {
    const { phones, api, connection } = stage;
    const said = (id: string, at: number, text: string, participant?: string) => ({
      id,
      at: LONG_AGO + at,
      text,
      ...(participant === undefined ? {} : { participant: `${participant}@s.whatsapp.net` }),
    });
    await phones.tellHistory(SHOP, {
      chats: [
        { id: `${ANN}@s.whatsapp.net`, messages: [said('A1', 1, 'old of ann'), said('A2', 2, 'older of ann')] },
        { id: `${BEN}@s.whatsapp.net`, messages: [said('B1', 3, 'old of ben')] },
        { id: GROUP, messages: [said('G1', 4, 'ann to all', ANN), said('G2', 5, 'ben to all', BEN)] },
      ],
    });
    await until(
      'the history',
      () => api.must('GET', `/v1/connections/${connection}/sync`),
      ({ counts }) => (counts as { readonly stored: number }).stored === 5,
      WAIT_MS,
    );
    await send(ANN, 'new to ann');
    await send(BEN, 'new to ben');
    expect(await kindsWith('old of ann')).toContain('HISTORY');
  });

  it('has all of it in an export', async () => {
    const { id } = await stage.api.must('POST', '/v1/exports', {});
    await ended(`/v1/exports/${String(id)}`);
    const manifest = JSON.parse((await fileOf(`/v1/exports/${String(id)}/files/manifest.json`)).toString()) as {
      readonly counts: Readonly<Record<string, number>>;
      readonly parts: readonly { readonly name: string }[];
    };
    const parts = await Promise.all(
      manifest.parts.map(({ name }) => fileOf(`/v1/exports/${String(id)}/files/${name}`)),
    );

    const text = parts.map((part) => gunzipSync(part).toString()).join('');

    expect(manifest.counts).toMatchObject({ history: 5, message: 2 });
    for (const said of ['old of ann', 'older of ann', 'old of ben', 'ann to all', 'ben to all', 'new to ann'])
      expect(text).toContain(said);
    await stage.api.must('DELETE', `/v1/exports/${String(id)}`);
  });

  it('has nothing of a person who was erased but in the log of events, and all of the other one', async () => {
    const erasure = await stage.api.must('POST', '/v1/contact-erasures', { contact: `+${ANN}` });
    const receipt = await ended(`/v1/contact-erasures/${String(erasure['id'])}`);

    expect(receipt['removed']).toMatchObject({ messages: 1, history: 3 });
    for (const said of ['old of ann', 'older of ann', 'ann to all']) expect(await kindsWith(said)).toEqual([]);
    expect((await kindsWith(ANN)).filter((kind) => kind !== 'EVENTS')).toEqual([]);
    for (const said of ['old of ben', 'ben to all']) expect(await kindsWith(said)).toEqual(['HISTORY']);
    expect(await kindsWith('new to ben')).toContain('CON');
  });

  it('has no history, chats and people of a connection that was deleted', async () => {
    const { api, connection } = stage;
    await api.must('DELETE', `/v1/connections/${connection}`);

    const kinds = await until(
      'its rows being removed',
      async () => new Set((await core()).map(({ pk }) => String(pk).split('#')).flatMap(([kind]) => kind ?? [])),
      (found) => ['HISTORY', 'CHATS', 'CONTACTS'].every((kind) => !found.has(kind)),
      WAIT_MS,
    );

    expect(kinds.has('ERASURES')).toBe(true);
    expect(await kindsWith('ben to all')).toEqual([]);
  });
});

function textOf({ data, ...item }: Item): string {
  const packed = data instanceof Uint8Array ? inflateRawSync(data).toString() : JSON.stringify(data ?? '');
  return `${JSON.stringify(item)} ${packed}`;
}
