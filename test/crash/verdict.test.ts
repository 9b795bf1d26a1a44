import { describe, expect, it } from 'vitest';
import type { Fact } from '../../shared/event/facts/factRows.ts';
import type { MessageId, StanzaId } from '../../shared/kernel/id.ts';
import type { TranscriptEntry } from '../whatsapp/phone.ts';
import { Counters, type Stats } from '../whatsapp/stats.ts';
import { judge, type Accepted, type Evidence } from './verdict.ts';

const BOB = '4915100000002';
const [stanzaId, messageId] = ['S1' as StanzaId, 'M1' as MessageId];
const none = new Counters().report({});

const messageFact = (id: string, key = `message:${id}`): Fact => ({
  kind: 'message',
  key,
  atMs: 0,
  stanzaId: id as StanzaId,
  chat: 'bob',
  sender: 'bob',
  fromMe: false,
  content: { type: 'text', text: { body: `text ${id}` } },
});
const receiptFact = (state: 'delivered' | 'read'): Fact => ({
  kind: 'receipt',
  key: `receipt:${state}`,
  atMs: 0,
  stanzaId,
  chat: 'bob',
  recipient: 'bob',
  state,
});
const resultFact: Fact = {
  kind: 'send_result',
  key: 'result:M1',
  atMs: 0,
  messageId,
  state: 'sent',
};
const shownAs = (id: string, text: string): TranscriptEntry => ({
  id,
  chat: 'ann',
  from: 'ann',
  fromMe: false,
  kind: 'text',
  text,
  at: 0,
  status: 'received',
  receipts: {},
  addressedBy: 'lid',
  copies: 1,
});
const accepted: Accepted = { messageId, stanzaId, text: 'hello', readers: [BOB], isRead: true };

/** Two messages came and one went; nothing is wrong. */
const good: Evidence = {
  written: [
    { id: 'A', text: 'text A' },
    { id: 'B', text: 'text B' },
  ],
  accepted: [accepted],
  facts: [messageFact('A'), messageFact('B'), resultFact, receiptFact('delivered'), receiptFact('read')],
  shown: new Map([[BOB, [shownAs('S1', 'hello')]]]),
  states: new Map([[messageId, 'sent']]),
  before: none,
  after: none,
  waiting: 0,
  devices: 1,
  inFlight: 1,
  broken: [],
};
const without = (kind: Fact['kind'], part = ''): readonly Fact[] =>
  good.facts.filter((fact) => fact.kind !== kind || !fact.key.includes(part));

describe('the verdict on a crash', () => {
  it('finds nothing where nothing is wrong', () => {
    expect(judge(good)).toEqual({
      lost: 0,
      duplicates: 0,
      resent: 0,
      repeats: 0,
      reusedKeys: 0,
      undecryptable: 0,
      problems: [],
    });
  });

  it('lets facts come again under their keys, and what was in flight go out again under its id', () => {
    const facts = [messageFact('A'), ...good.facts, receiptFact('read')];

    const findings = judge({ ...good, facts, after: { ...none, resent: 1 } });

    expect(findings).toMatchObject({ repeats: 2, resent: 1, duplicates: 0, problems: [] });
  });

  it.each<readonly [what: string, change: Partial<Evidence>, figures: object]>([
    ['a message that was not published', { facts: without('message', 'A') }, { lost: 1 }],
    ['a text that is not shown', { shown: new Map() }, { lost: 1 }],
    ['a result that nobody was told', { facts: without('send_result') }, { lost: 1 }],
    ['a delivery that nobody was told', { facts: without('receipt', 'delivered') }, { lost: 1 }],
    ['a reading that nobody was told', { facts: without('receipt', 'read') }, { lost: 1 }],
    ['a send that did not end', { states: new Map([[messageId, 'sending' as const]]) }, { lost: 1 }],
    ['a fact under a second key', { facts: [...good.facts, messageFact('A', 'other')] }, { duplicates: 1 }],
    [
      'a text under a second id',
      { shown: new Map([[BOB, [shownAs('S1', 'hello'), shownAs('S2', 'hello')]]]) },
      { duplicates: 1 },
    ],
    [
      'messages in another order',
      { facts: [messageFact('B'), messageFact('A'), ...without('message')] },
      { lost: 0, duplicates: 0 },
    ],
    ['a linked device too many', { devices: 2 }, {}],
    ['a stanza that WhatsApp still keeps', { waiting: 1 }, {}],
    ['a worker that gave up', { broken: ['reason'] }, {}],
  ])('finds %s', (_what, change, figures) => {
    const findings = judge({ ...good, ...change });

    expect(findings).toMatchObject(figures);
    expect(findings.problems).toHaveLength(1);
  });

  it.each<readonly [figure: keyof Stats, count: number]>([
    ['reusedKeys', 1],
    ['undecryptable', 1],
    ['retryRequests', 1],
    ['overlap', 1],
    ['replaced', 1],
    ['outOfOrder', 1],
    ['resent', 2],
  ])('finds %s in what the simulator counts', (figure, count) => {
    const { problems } = judge({ ...good, after: { ...none, [figure]: count } });

    expect(problems).toHaveLength(1);
  });
});
