import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toConnectionView } from '../../../functions/routes/views.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { sendRule, SendPause } from '../../../worker/sending/sendPause.ts';
import { showSendsPause } from '../../../worker/sending/showSendsPause.ts';
import type { SendOutcome } from '../../../worker/socket/port/connectionSocket.ts';
import { makeEarlyClock } from '../../shared/kernel/earlyClock.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { until } from '../../whatsapp/until.ts';
import { acknowledged, anOutbox, FakeSocket, sequence, startCore, type Core } from './fakes.ts';
import { makeSteppedClock } from './steppedClock.ts';

const unknown: SendOutcome = { outcome: 'unknown' };
const refused: SendOutcome = { outcome: 'refused', code: 463 };

function aPause() {
  const clock = makeSteppedClock();
  const told: (number | 'resumed')[] = [];
  const pause = new SendPause({
    clock,
    onPaused: (durationMs) => told.push(durationMs),
    onResumed: () => told.push('resumed'),
  });
  const socket = new FakeSocket();
  const request = { stanzaId: 'id', to: 'to', content: { type: 'text', text: { body: 'x' } } } as unknown;
  const send = async (...answers: readonly SendOutcome[]): Promise<void> => {
    for (const answer of answers) {
      socket.answers.push(answer);
      await pause.watch(socket).send(request as Parameters<FakeSocket['send']>[0]);
    }
  };
  return { pause, clock, told, send };
}

const FIVE = [unknown, unknown, unknown, unknown, unknown] as const;

describe('the breaker of a connection’s sends', () => {
  it('pauses after five sends in a row without an answer', async () => {
    const { pause, told, send } = aPause();

    await send(unknown, unknown, unknown, unknown);
    const before = pause.isPaused();
    await send(unknown);

    expect([before, pause.isPaused()]).toEqual([false, true]);
    expect(told).toEqual([sendRule.openMs]);
  });

  it('takes a refusal for an answer', async () => {
    const { pause, send } = aPause();

    await send(unknown, unknown, unknown, unknown, refused, unknown, unknown, unknown, unknown);

    expect(pause.isPaused()).toBe(false);
  });

  it('tries once after its time, and pauses again when that gets no answer', async () => {
    const { pause, clock, told, send } = aPause();
    await send(...FIVE);

    clock.advance(sendRule.openMs);
    const may = !pause.isPaused();
    await send(unknown);

    expect([may, pause.isPaused()]).toEqual([true, true]);
    expect(told).toEqual([sendRule.openMs, sendRule.openMs]);
  });

  it('goes on after two answers, and says so once', async () => {
    const { pause, clock, told, send } = aPause();
    await send(...FIVE);

    clock.advance(sendRule.openMs);
    await send(acknowledged, acknowledged, acknowledged, unknown);

    expect(pause.isPaused()).toBe(false);
    expect(told).toEqual([sendRule.openMs, 'resumed']);
  });

  it('ends with a new login', async () => {
    const { pause, told, send } = aPause();
    await send(...FIVE);

    pause.reset();
    await send(unknown, unknown, unknown, unknown);

    expect(pause.isPaused()).toBe(false);
    expect(told).toEqual([sendRule.openMs, 'resumed']);
  });
});

describe('an outbox whose sends get no answer', () => {
  let core: Core;
  beforeAll(async () => {
    core = await startCore();
  });
  afterAll(() => core.stop());

  const aPausedOutbox = async (clock = makeSteppedClock(Date.now())) => {
    const connection = await core.aConnection();
    const owned = { ...connection, token: 1 };
    const metrics = keepingMetrics();
    const show = showSendsPause({ table: core.table, stage: 'test', owned, clock, logger: silentLogger, metrics });
    const { outbox, socket } = anOutbox(core, connection, { overrides: { clock, showPause: show } });
    const first = await core.aMessage(connection, 'first');
    const second = await core.aMessage(connection, 'second');
    socket.answers.push(...FIVE);
    await outbox.handle(first.messageId, sequence(1), Date.now());
    const tried = async (times: number): Promise<void> => {
      await until(
        `try ${times}`,
        () => {
          clock.advance(500);
          return socket.sent.length;
        },
        (sent) => sent >= times,
      );
    };
    await tried(5);
    const view = async (): Promise<ReturnType<typeof toConnectionView>> => {
      const now = await core.connections.find(connection.tenantId, connection.connectionId);
      return toConnectionView(now as Connection, clock.nowMs());
    };
    const shown = (state: 'paused' | undefined) => until('what is shown', view, ({ sends }) => sends?.state === state);
    const isSent = (messageId: typeof first.messageId) =>
      until(
        'sent',
        () => core.stateOf(connection.connectionId, messageId),
        (state) => state === 'sent',
      );
    return { clock, outbox, socket, first, second, shown, isSent, metrics };
  };

  it('parks what comes, shows it, and sends all in order when its minute is over', async () => {
    const { clock, outbox, socket, first, second, shown, isSent, metrics } = await aPausedOutbox();

    const paused = await shown('paused');
    await outbox.handle(second.messageId, sequence(2), Date.now());
    const whilePaused = socket.sent.length;
    clock.advance(sendRule.openMs);
    await isSent(first.messageId);
    await isSent(second.messageId);
    const after = await shown(undefined);

    expect(paused.sends).toMatchObject({ code: 'sends_paused' });
    expect(paused.status.status).toBe('online');
    expect(whilePaused).toBe(5);
    expect(socket.texts()).toEqual(['first', 'first', 'first', 'first', 'first', 'first', 'second']);
    expect(new Set(socket.sent.slice(0, 6).map(({ stanzaId }) => stanzaId)).size).toBe(1);
    expect(after.sends).toBeUndefined();
    expect(metrics.totalOf('BreakerOpened', { dependency: 'sends' })).toBe(1);
  });

  it('goes on when its minute is over, although its timer ends a millisecond before', async () => {
    const { clock, first, shown, isSent } = await aPausedOutbox(makeEarlyClock(Date.now()));
    await shown('paused');

    // The timer ends now, and the clock by which the pause is judged has not got there.
    clock.advance(sendRule.openMs - 1);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1);

    await isSent(first.messageId);
  });

  it('sends at once when the connection has opened anew', async () => {
    const { outbox, first, shown, isSent } = await aPausedOutbox();
    await shown('paused');

    outbox.allow();
    await isSent(first.messageId);

    expect((await shown(undefined)).sends).toBeUndefined();
  });

  it('waits for nothing when it is to finish', async () => {
    const { clock, outbox, socket } = await aPausedOutbox();

    await outbox.finish();
    clock.advance(2 * sendRule.openMs);

    expect(socket.sent).toHaveLength(5);
  });
});
