import type { BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import type { SentOnce } from '../../../../worker/socket/port/sentOnce.ts';
import {
  decideRepeat,
  isViewer,
  needsMembers,
  REPEATED_FOR_MS,
  toRepeatRequest,
  type RepeatDecision,
} from '../../../../worker/socket/inbound/repeatRule.ts';

const ME = { phoneJid: '4915100000001@s.whatsapp.net', lid: '900001@lid' };
const ANN = { number: '4915100000002', lid: '900002' };
const BOB = { number: '4915100000003', lid: '900003' };
const GROUP = '120363000000000001@g.us';
const OTHER_GROUP = '120363000000000002@g.us';
const NOW_MS = Date.UTC(2026, 0, 31);
const NAMES = new Map(
  [ANN, BOB].flatMap(({ number, lid }) => [
    [`${number}@s.whatsapp.net`, `${lid}@lid`],
    [`${lid}@lid`, `${number}@s.whatsapp.net`],
  ]),
);
NAMES.set(ME.phoneJid, ME.lid).set(ME.lid, ME.phoneJid);

type Attributes = Readonly<Record<string, string>>;

/** The senders of requests, and the chats: the address attributes as the server writes them. */
const requests = {
  'Ann, by number': { from: `${ANN.number}:3@s.whatsapp.net` },
  'Ann, by LID': { from: `${ANN.lid}:3@lid` },
  "Ann's phone, by LID": { from: `${ANN.lid}@lid` },
  'Bob, by number': { from: `${BOB.number}@s.whatsapp.net` },
  'Bob, by LID': { from: `${BOB.lid}:2@lid` },
  'Bob, with Ann as participant': { from: `${BOB.number}@s.whatsapp.net`, participant: `${ANN.number}@s.whatsapp.net` },
  'Bob, with Ann as the chat': { from: `${BOB.number}@s.whatsapp.net`, recipient: `${ANN.number}@s.whatsapp.net` },
  'our phone, in the chat with Ann': { from: ME.phoneJid, recipient: `${ANN.number}@s.whatsapp.net` },
  'our phone, by LID, in the chat with Ann': { from: ME.lid, recipient: `${ANN.lid}@lid` },
  'our phone, in the chat with Bob': { from: ME.phoneJid, recipient: `${BOB.number}@s.whatsapp.net` },
  'our phone, in no chat': { from: ME.phoneJid },
  'Ann in the group': { from: GROUP, participant: `${ANN.lid}:3@lid` },
  'Ann in the group, by number': { from: GROUP, participant: `${ANN.number}@s.whatsapp.net` },
  'Bob in the group': { from: GROUP, participant: `${BOB.lid}:2@lid` },
  'Ann in another group': { from: OTHER_GROUP, participant: `${ANN.lid}:3@lid` },
  'our phone in the group': { from: GROUP, participant: ME.lid },
  'nobody in the group': { from: GROUP },
  'the group in the group': { from: GROUP, participant: GROUP },
  'Ann by way of status': { from: 'status@broadcast', participant: `${ANN.number}@s.whatsapp.net` },
  'Ann by way of status, by LID': { from: 'status@broadcast', participant: `${ANN.lid}:3@lid` },
  'Bob by way of status': { from: 'status@broadcast', participant: `${BOB.lid}:2@lid` },
  'our phone, by way of status': { from: 'status@broadcast', participant: ME.lid },
  'Ann in a broadcast list': { from: '4242@broadcast', participant: `${ANN.number}@s.whatsapp.net` },
  'a newsletter': { from: '120363000000000009@newsletter' },
  'WhatsApp itself': { from: 's.whatsapp.net' },
  nobody: {},
} as const satisfies Readonly<Record<string, Attributes>>;
type Requester = keyof typeof requests;

/** Ann is in the group, and Bob is not any more. */
const MEMBERS = new Set([`${ANN.number}@s.whatsapp.net`, `${ANN.lid}@lid`, ME.lid, ME.phoneJid]);

const sent = {
  'to Ann, by number': { to: `${ANN.number}@s.whatsapp.net`, atMs: NOW_MS },
  'to Ann, by LID': { to: `${ANN.lid}@lid`, atMs: NOW_MS },
  'to a number that WhatsApp took for Ann': {
    to: '4915199999999@s.whatsapp.net',
    resolvedTo: `${ANN.number}@s.whatsapp.net`,
    atMs: NOW_MS,
  },
  'to the group': { to: GROUP, atMs: NOW_MS },
  'that is a status for Ann': { to: 'status@broadcast', atMs: NOW_MS, viewers: new Set([`${ANN.lid}@lid`]) },
} as const satisfies Readonly<Record<string, SentOnce>>;

const ANN_ALONE: readonly Requester[] = [
  'Ann, by number',
  'Ann, by LID',
  "Ann's phone, by LID",
  'our phone, in the chat with Ann',
  'our phone, by LID, in the chat with Ann',
];
const allowed: Readonly<Record<keyof typeof sent, readonly Requester[]>> = {
  'to Ann, by number': ANN_ALONE,
  'to Ann, by LID': ANN_ALONE,
  'to a number that WhatsApp took for Ann': ANN_ALONE,
  'to the group': ['Ann in the group', 'Ann in the group, by number', 'our phone in the group'],
  'that is a status for Ann': ['Ann by way of status', 'Ann by way of status, by LID', 'our phone, by way of status'],
};
const MALFORMED: readonly Requester[] = [
  'Bob, with Ann as participant',
  'Bob, with Ann as the chat',
  'nobody in the group',
  'the group in the group',
  'Ann in a broadcast list',
  'a newsletter',
  'WhatsApp itself',
  'nobody',
];

const aStanza = (attrs: Attributes, content: BinaryNode[] = [{ tag: 'retry', attrs: { count: '1' } }]): BinaryNode => ({
  tag: 'receipt',
  attrs: { id: '3EB001', type: 'retry', ...attrs },
  content,
});

function judge(requester: Requester, message: SentOnce | undefined, isKnown = true): RepeatDecision {
  const request = toRepeatRequest(aStanza(requests[requester]), ME);
  if (request === undefined) return 'malformed';
  const { chat = '', requester: who } = request;
  const isMember =
    isKnown && needsMembers(request, message) ? MEMBERS.has(who) : isViewer(message, [who, NAMES.get(who)]);
  return decideRepeat(request, message, [chat, NAMES.get(chat)], isMember, NOW_MS);
}

describe('who may have a message again', () => {
  const table = Object.keys(sent).flatMap((what) =>
    Object.keys(requests).map((who) => {
      const [message, requester] = [what as keyof typeof sent, who as Requester];
      const refusal = MALFORMED.includes(requester)
        ? 'malformed'
        : (requester === 'Bob in the group' && message === 'to the group') ||
            (requester === 'Bob by way of status' && message === 'that is a status for Ann')
          ? 'not_a_member'
          : 'not_a_recipient';
      return [message, requester, allowed[message].includes(requester) ? 'repeat' : refusal] as const;
    }),
  );

  it.each(table)('a message %s, asked for by %s: %s', (message, requester, expected) => {
    expect(judge(requester, sent[message])).toBe(expected);
  });

  it('nobody, where it is not known who is in the group; our own devices need not be', () => {
    const to = sent['to the group'];

    expect(judge('Ann in the group', to, false)).toBe('not_a_member');
    expect(judge('our phone in the group', to, false)).toBe('repeat');
  });

  it('nobody, when we sent no such message', () => {
    for (const requester of ANN_ALONE) expect(judge(requester, undefined)).toBe('unknown_message');
  });

  it('the recipient for 30 days, and no longer', () => {
    const at = (atMs: number): RepeatDecision => judge('Ann, by LID', { to: `${ANN.lid}@lid`, atMs });

    expect(at(NOW_MS - REPEATED_FOR_MS)).toBe('repeat');
    expect(at(NOW_MS - REPEATED_FOR_MS - 1)).toBe('too_old');
  });

  it.each<readonly [what: string, stanza: BinaryNode]>([
    ['no id', { ...aStanza(requests['Ann, by LID']), attrs: requests['Ann, by LID'] }],
    ['no content', { tag: 'receipt', attrs: { id: '1', from: `${ANN.lid}@lid` } }],
    [
      'bytes for content',
      { tag: 'receipt', attrs: { id: '1', from: `${ANN.lid}@lid` }, content: Buffer.from('retry') },
    ],
    ['no retry inside', aStanza(requests['Ann, by LID'], [{ tag: 'registration', attrs: {} }])],
  ])('nobody, with a stanza that has %s', (_what, stanza) => {
    expect(toRepeatRequest(stanza, ME)).toBeUndefined();
  });

  it('finds further ids wherever they are listed', () => {
    const items = [
      { tag: 'item', attrs: { id: '3EB002' } },
      { tag: 'item', attrs: {} },
    ];
    const request = toRepeatRequest(
      aStanza(requests['Ann, by LID'], [
        { tag: 'list', attrs: {}, content: items },
        { tag: 'retry', attrs: {} },
      ]),
      ME,
    );

    expect(request?.ids).toEqual(['3EB001', '3EB002']);
  });
});
