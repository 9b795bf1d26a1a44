import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTenant, type ApiAnswer, type ApiClient } from '../../../infra/local/apiClient.ts';
import type { DashboardFigures } from '../../../infra/local/ops/figures.ts';
import { pairSandboxPhone } from '../../../infra/local/pairing.ts';
import { startStack } from '../../../infra/local/stack.ts';
import type { RunningStack } from '../../../infra/local/stackOptions.ts';
import { until } from '../../../infra/local/until.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { WhatsAppClient } from '../../whatsapp/client.ts';
import { runningFunctions, runningMedia } from './runningFunctions.ts';

const SHOP = '4915100000001';
const CUSTOMER = '4915100000003';
const MESSAGES = 30;

describe('the processes of functions', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-functions-'));
  const said: string[] = [];
  const broken: string[] = [];
  let stack: RunningStack;
  let whatsApp: WhatsAppClient;
  let api: ApiClient;
  let connectionId = '';
  beforeAll(async () => {
    stack = await startStack({
      dataDir,
      port: 0,
      live: false,
      workers: 1,
      functions: 2,
      watchdogSettings: false,
      say: (line) => said.push(line),
      onBroken: (reason) => broken.push(reason),
    });
    whatsApp = new WhatsAppClient(stack.whatsAppControlUrl ?? '');
    await whatsApp.addPhone(SHOP, 'Shop');
    await whatsApp.addPhone(CUSTOMER, 'Customer');
    api = await makeTenant(stack.apiUrl, stack.operatorKey, 'Acme');
    connectionId = await pairSandboxPhone(api, whatsApp, { number: SHOP, method: 'qr' });
  });
  afterAll(async () => {
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** Sends a text as a careful caller does: again under the same key for as long as no answer comes. */
  const send = async (text: string): Promise<ApiAnswer> => {
    const path = `/v1/connections/${connectionId}/messages`;
    const body = { to: `+${CUSTOMER}`, type: 'text', text: { body: text } };
    const key = { 'idempotency-key': text.replaceAll(' ', '-') };
    const ask = () => api.call('POST', path, body, key).catch(() => undefined);
    const answer = await until('an answer', ask, (given) => given !== undefined && given.status < 500);
    if (answer === undefined) throw new Error('no answer');
    return answer;
  };

  const requestsShown = async (): Promise<number> => {
    const answer = await fetch(`${stack.apiUrl}/ops/metrics.json`, {
      headers: { authorization: `Bearer ${stack.operatorKey}` },
    });
    const { dashboards } = (await answer.json()) as { readonly dashboards: readonly DashboardFigures[] };
    const figure = dashboards.flatMap(({ figures }) => figures).find(({ title }) => title === 'How many requests?');
    return (figure?.lines[0]?.points ?? []).reduce<number>((sum, point) => sum + (point ?? 0), 0);
  };

  it('follow each other when they are killed during sends, and each message is accepted and shown once', async () => {
    const texts = Array.from({ length: MESSAGES }, (_, place) => `message ${place}`);
    const before = runningFunctions();
    const countBefore = await until('figures of before', requestsShown, (count) => count > 0);
    const killAt = new Map([10, 20].map((place, at) => [place, before[at] ?? 0]));

    const sends: Promise<ApiAnswer>[] = [];
    for (const [place, text] of texts.entries()) {
      sends.push(send(text));
      if (place % 3 === 0) await sends.at(-1);
      const victim = killAt.get(place);
      if (victim !== undefined) process.kill(victim, 'SIGKILL');
    }
    const answers = await Promise.all(sends);
    const shown = await until(
      'all messages on the phone',
      async () => (await whatsApp.messages(CUSTOMER)).flatMap(({ text }) => (text === undefined ? [] : [text])),
      (found) => texts.every((text) => found.includes(text)),
    );
    const after = await until('both processes', runningFunctions, (pids) => pids.length === 2);

    expect(before).toHaveLength(2);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ json }) => json['id'])).size).toBe(MESSAGES);
    expect(shown.toSorted()).toEqual(texts.toSorted());
    expect(said.filter((line) => line.includes('is replaced'))).toHaveLength(2);
    expect(broken).toEqual([]);
    // What a killed process had answered is shown on, but for its last second.
    await until('figures of then and now', requestsShown, (count) => count > countBefore);
  }, 180_000);

  it('are joined by one for files, at the latest with the first file, which is followed by another when it is killed', async () => {
    const sendFile = (seed: number) =>
      whatsApp.files.send(CUSTOMER, SHOP, { kind: 'document', noise: { bytes: 1_000, seed } });
    const path = `/v1/connections/${connectionId}/messages`;
    const ready = async (): Promise<number> => {
      const { data } = (await api.must('GET', path)) as {
        readonly data: readonly { readonly media?: readonly object[] }[];
      };
      return data.flatMap(({ media = [] }) => media).filter((file) => (file as { state?: string }).state === 'ready')
        .length;
    };
    const before = runningMedia();

    await sendFile(1);
    await until('the first file', ready, (count) => count === 1, 120_000);
    const [first = 0] = runningMedia();
    process.kill(first, 'SIGKILL');
    const after = await until(
      'another process',
      runningMedia,
      (pids) => pids.length === 1 && pids[0] !== first,
      60_000,
    );
    // The last poll of the killed one is out for two seconds, and what it is given then is hidden for as long as a function has.
    await systemClock.sleep(3_000);
    await sendFile(2);
    await until('the second file', ready, (count) => count === 2, 120_000);

    // The history that a phone gives a new device may have started it.
    expect(before.length).toBeLessThanOrEqual(1);
    expect(after).toHaveLength(1);
    expect(said.filter((line) => line.includes('media ended'))).toHaveLength(1);
    expect(broken).toEqual([]);
  });
});
