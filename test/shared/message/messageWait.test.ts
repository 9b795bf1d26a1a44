import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../shared/connection/connection.ts';
import { newPace } from '../../../shared/connection/pace.ts';
import { waitOfAll, waitOfMessage } from '../../../shared/message/messageWait.ts';

const NOW_MS = Date.UTC(2026, 0, 1, 12);
const UNTIL_MS = NOW_MS + 60_000;
const until = new Date(UNTIL_MS).toISOString();
const brake = (because: 'restricted' | 'too_fast') =>
  ({ because, sinceMs: NOW_MS, untilMs: UNTIL_MS, refusals: 1 }) as const;
const online = { status: 'online' } as Connection;
const paced = (brakes: object): Connection => ({ ...online, pace: { ...newPace('a', NOW_MS), brakes } });

describe('why a parked message waits', () => {
  it.each([
    [
      'its connection is away',
      'first_contact',
      { ...online, status: 'reconnecting' },
      { code: 'connection_not_online' },
    ],
    ['all messages wait', undefined, paced({ all: brake('too_fast') }), { code: 'sends_too_fast', until }],
    ['all messages wait', 'chat_budget', paced({ all: brake('too_fast') }), { code: 'sends_too_fast', until }],
    [
      'sends are paused',
      'nothing_leaves',
      { ...online, sendsPausedUntilMs: UNTIL_MS },
      { code: 'sends_paused', until },
    ],
    [
      'it is to a new person, while WhatsApp refuses those',
      'first_contact',
      paced({ firstContacts: brake('restricted') }),
      { code: 'first_contacts_restricted', until },
    ],
    [
      'it is to a new person, and the budget is used up',
      'first_contact',
      { ...paced({}), settings: { pace: { firstContactsPerDay: 0 } } },
      { code: 'first_contacts_used_up', until: expect.any(String) },
    ],
    ['it was to a new person, and those may leave again', 'first_contact', paced({}), { code: 'in_turn' }],
    [
      'nothing could leave when it came, and new people wait: it may be to one',
      'nothing_leaves',
      paced({ firstContacts: brake('restricted') }),
      { code: 'in_turn' },
    ],
    [
      'a look-up that it needs rests',
      'look_up',
      { ...online, sendsPausedUntilMs: UNTIL_MS, sendsPausedBecause: 'look_ups_limited' },
      { code: 'look_ups_limited', until },
    ],
    [
      'a look-up rests, and it needs none',
      'chat_budget',
      { ...online, sendsPausedUntilMs: UNTIL_MS, sendsPausedBecause: 'look_ups_limited' },
      { code: 'chat_budget' },
    ],
    ['it had no answer', 'no_answer', online, { code: 'no_answer' }],
    ['the connection has sent many', 'budget', online, { code: 'budget' }],
    ['an earlier one of its chat waits', 'chat_in_order', online, { code: 'in_turn' }],
    ['nothing is known', undefined, online, { code: 'in_turn' }],
  ] as const)('%s (%s)', (_what, reason, connection, expected) => {
    expect(waitOfMessage(reason, connection, NOW_MS)).toEqual({
      ...expected,
      sentence: expect.any(String),
    });
  });

  it('says of a text behind a file of its chat nothing of a file of its own', () => {
    expect(waitOfMessage('file', online, NOW_MS)).toEqual({
      code: 'file',
      sentence: expect.stringContaining('or that of an earlier message of its chat'),
    });
  });

  it('is over with the end that was named', () => {
    const connection = paced({ all: brake('too_fast'), firstContacts: brake('restricted') });

    expect(waitOfAll(connection, UNTIL_MS - 1)).toMatchObject({ code: 'sends_too_fast' });
    expect(waitOfAll(connection, UNTIL_MS)).toBeUndefined();
    expect(waitOfMessage('first_contact', connection, UNTIL_MS)).toMatchObject({ code: 'in_turn' });
  });
});
