import { describe, expect, it } from 'vitest';
import { latenessOf } from '../../../shared/message/lateness.ts';
import type { SentMessage } from '../../../shared/message/message.ts';
import { aSentMessage, newIds } from '../event/eventStores.ts';

const AT_MS = Date.UTC(2026, 7, 1, 12);
const HOUR_MS = 3_600_000;

describe('what a message has waited for too long', () => {
  it.each<readonly [state: SentMessage['state'], hours: number, late: string | undefined]>([
    ['queued', 100, undefined],
    ['parked', 100, undefined],
    ['sending', 1, undefined],
    ['sending', 1.1, 'not_acknowledged'],
    ['sent', 24, undefined],
    ['sent', 24.1, 'not_delivered'],
    ['delivered', 100, undefined],
    ['read', 100, undefined],
    ['failed', 100, undefined],
    ['cancelled', 100, undefined],
  ])('of one that is %s after %d hours', (state, hours, late) => {
    const message = aSentMessage(newIds(), { state, createdAtMs: AT_MS, sentAtMs: AT_MS });

    expect(latenessOf(message, AT_MS + hours * HOUR_MS)).toBe(late);
  });

  it('is no receipt of a status, which is over by then', () => {
    const to = 'status@broadcast';
    const message = aSentMessage(newIds(), { to, state: 'sent', createdAtMs: AT_MS, sentAtMs: AT_MS });

    expect(latenessOf(message, AT_MS + 100 * HOUR_MS)).toBeUndefined();
  });

  it('counts from the time that it waited for', () => {
    const notBeforeMs = AT_MS + 48 * HOUR_MS;
    const message = aSentMessage(newIds(), { state: 'sending', createdAtMs: AT_MS, notBeforeMs });

    expect(latenessOf(message, notBeforeMs + HOUR_MS)).toBeUndefined();
    expect(latenessOf(message, notBeforeMs + 1.1 * HOUR_MS)).toBe('not_acknowledged');
  });

  it('counts from when it was sent, not from when it was accepted', () => {
    const message = aSentMessage(newIds(), { state: 'sent', createdAtMs: AT_MS, sentAtMs: AT_MS + 48 * HOUR_MS });

    expect(latenessOf(message, AT_MS + 60 * HOUR_MS)).toBeUndefined();
  });
});
