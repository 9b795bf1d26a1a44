import { beforeEach, describe, expect, it } from 'vitest';
import { toTrouble } from '../../../infra/local/trouble.ts';
import { timeOf, TroubleTeller } from '../../../infra/local/troubleTeller.ts';
import type { Clock } from '../../../shared/kernel/clock.ts';
import { Scope } from '../../../shared/kernel/scope.ts';

const NOW_MS = Date.UTC(2026, 0, 1, 12);
const SHOP = { tenantId: 'tnt_1', connectionId: 'con_shop' };
const DESK = { tenantId: 'tnt_1', connectionId: 'con_desk' };
const unacknowledged = { level: 'warn', message: 'send not acknowledged', error: { message: 'timed out' } };

describe('trouble on the terminal', () => {
  let lines: string[];
  let nowMs: number;
  let timers: { readonly atMs: number; readonly ring: () => void }[];
  let teller: TroubleTeller;
  beforeEach(() => {
    lines = [];
    nowMs = NOW_MS;
    timers = [];
    const sleep: Clock['sleep'] = (ms) =>
      new Promise<void>((resolve) => timers.push({ atMs: nowMs + ms, ring: resolve }));
    teller = new TroubleTeller({
      say: (line) => lines.push(line),
      nowMs: () => nowMs,
      scope: new Scope('test', { sleep }),
      labelOf: async ({ connectionId }) => ({ con_shop: 'Shop', con_desk: 'Desk' })[connectionId],
    });
  });
  const tell = (line: object, process = 'worker-2'): void => {
    const trouble = toTrouble(process, line);
    if (trouble !== undefined) teller.tell(trouble);
  };
  const pass = async (ms: number): Promise<void> => {
    nowMs += ms;
    const due = timers.filter(({ atMs }) => atMs <= nowMs);
    timers = timers.filter(({ atMs }) => atMs > nowMs);
    for (const { ring } of due) ring();
    // A timer rings a few turns later.
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    await teller.settled();
  };

  it('has its time, its process, the label of the connection, and no more of a recipient than four digits', async () => {
    tell({ ...unacknowledged, ...SHOP, to: '4915100000002@s.whatsapp.net' });
    await teller.settled();

    expect(lines).toEqual([`${timeOf(NOW_MS)}  worker-2  Shop  send not acknowledged, to …0002 (timed out)`]);
  });

  it('names a connection without a label by its id, and trouble of a process by the process', async () => {
    tell({ ...unacknowledged, tenantId: 'tnt_1', connectionId: 'con_other' });
    tell({ level: 'error', message: 'worker lease is dead' }, 'worker-1');
    await teller.settled();

    expect(lines).toEqual([
      `${timeOf(NOW_MS)}  worker-2  con_other  send not acknowledged (timed out)`,
      `${timeOf(NOW_MS)}  worker-1  ERROR worker lease is dead`,
    ]);
  });

  it('is said once, and then once a minute with how often it came again and for whom', async () => {
    for (let index = 0; index < 9; index += 1) tell({ ...unacknowledged, ...SHOP });
    for (let index = 0; index < 4; index += 1) tell({ ...unacknowledged, ...DESK });
    await pass(60_000);
    tell({ ...unacknowledged, ...DESK });
    await pass(60_000);

    expect(lines.slice(1)).toEqual([
      `${timeOf(NOW_MS + 60_000)}  … 12 times more in the last minute: send not acknowledged (Shop 8, Desk 4)`,
      `${timeOf(NOW_MS + 120_000)}  … once more in the last minute: send not acknowledged (Desk 1)`,
    ]);
  });

  it('is said in full again after a quiet minute', async () => {
    tell({ ...unacknowledged, ...SHOP });
    await pass(60_000);
    tell({ ...unacknowledged, ...SHOP });
    await teller.settled();

    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain('send not acknowledged (timed out)');
  });

  it('does not grow with the number of connections', async () => {
    for (let index = 0; index < 1_000; index += 1)
      tell({ ...unacknowledged, tenantId: 't', connectionId: `con_${index}` });
    await pass(60_000);

    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain(
      '… 999 times more in the last minute: send not acknowledged (con_1 1, con_2 1, con_3 1, others 996)',
    );
  });

  it('is not what is no warning', () => {
    expect([{ level: 'info', message: 'x' }, 'text', undefined].map((line) => toTrouble('p', line))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
