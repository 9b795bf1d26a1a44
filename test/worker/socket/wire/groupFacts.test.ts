import type { BinaryNode } from '@whiskeysockets/baileys';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factRows } from '../../../../shared/event/facts/factRows.ts';
import { makeSafe } from '../../../../worker/facts/makeSafe.ts';
import { toGroupFacts, toGroupPictureFact } from '../../../../worker/socket/wire/groupFacts.ts';
import { fitInto, toGroup } from '../../../../worker/socket/wire/toGroup.ts';

const GROUP = '120363000000000001@g.us';
const BOB = '222@lid';
const NOW = Date.UTC(2026, 10, 1);
const node = (tag: string, attrs: Record<string, string> = {}, content?: BinaryNode['content']): BinaryNode =>
  content === undefined ? { tag, attrs } : { tag, attrs, content };
const notice = (...content: BinaryNode[]): BinaryNode =>
  node('notification', { from: GROUP, id: '1', type: 'w:gp2', participant: BOB, t: String(NOW / 1_000) }, content);
const changesOf = (child: BinaryNode): unknown =>
  toGroupFacts(notice(child)).flatMap((fact) => (fact.kind === 'group_change' ? [fact.changes] : []))[0];
const peopleOf = (child: BinaryNode) =>
  toGroupFacts(notice(child)).flatMap((fact) => (fact.kind === 'group_participants' ? [fact] : []));
const person = (jid: string, more: Record<string, string> = {}) => node('participant', { jid, ...more });

describe('a notice about a group', () => {
  it.each([
    [node('subject', { subject: 'New' }), { subject: 'New' }],
    [node('description', {}, [node('body', {}, Buffer.from('text'))]), { description: 'text' }],
    [node('description', {}, [node('delete')]), { description: '' }],
    [node('announcement'), { announcement: true }],
    [node('not_announcement'), { announcement: false }],
    [node('locked'), { locked: true }],
    [node('unlocked'), { locked: false }],
    [node('member_add_mode', {}, Buffer.from('all_member_add')), { member_add_mode: 'everybody' }],
    [node('member_add_mode', {}, Buffer.from('admin_add')), { member_add_mode: 'admins' }],
    [
      node('membership_approval_mode', {}, [node('group_join', { state: 'on' })]),
      { join_approval_mode: 'approval_required' },
    ],
    [node('membership_approval_mode'), { join_approval_mode: 'auto_approve' }],
    [node('ephemeral', { expiration: '86400' }), { disappearing_seconds: 86_400 }],
    [node('not_ephemeral'), { disappearing_seconds: 0 }],
    [node('invite', { code: 'AbC' }), { invite_link: 'https://chat.whatsapp.com/AbC' }],
    [node('suspended'), { suspended: true }],
    [node('unsuspended'), { suspended: false }],
    [node('delete', { reason: 'x' }), { deleted: true }],
    [
      node('link', { link_type: 'parent_group' }, [node('group', { jid: '12@g.us', subject: 'All' })]),
      { linked: [{ group: { id: '12@g.us' }, as: 'community', subject: 'All' }] },
    ],
    [
      node('unlink', { unlink_type: 'sub_group' }, [node('group', { id: '12' })]),
      { unlinked: [{ group: { id: '12@g.us' }, as: 'in_community' }] },
    ],
    [node('create', {}, [node('group')]), { joined: true }],
    [node('something_new'), undefined],
    [node('subject'), undefined],
    [node('ephemeral', { expiration: '-1' }), undefined],
    [node('invite', { code: '../../evil?x=y' }), undefined],
    [node('invite', { code: '' }), undefined],
    [node('link', {}, 'text'), undefined],
    [node('unlink', {}, [node('group', { jid: '333@lid' })]), undefined],
    [node('constructor'), undefined],
  ])('tells what has changed: %#', (child, expected) => {
    expect(changesOf(child)).toEqual(expected);
  });

  it.each([
    ['add', {}, ['333@lid'], 'added'],
    ['add', { reason: 'invite' }, ['333@lid'], 'joined'],
    ['add', {}, [BOB], 'joined'],
    ['remove', {}, ['333@lid'], 'removed'],
    ['remove', {}, [BOB], 'left'],
    ['remove', {}, [BOB, '333@lid'], 'removed'],
    ['promote', {}, ['333@lid'], 'promoted'],
    ['demote', {}, ['333@lid'], 'demoted'],
    ['modify', {}, ['333@lid'], 'number_changed'],
    ['created_membership_requests', {}, ['333@lid'], 'requested'],
    ['revoked_membership_requests', {}, ['333@lid'], 'request_ended'],
  ] as const)('tells who: %s %j of %j is %s', (tag, attrs, jids, change) => {
    const [fact, ...others] = peopleOf(
      node(
        tag,
        { ...attrs },
        jids.map((jid) => person(jid)),
      ),
    );

    expect(fact).toMatchObject({ change, group: GROUP, by: BOB });
    expect(fact?.participants.map(({ address }) => address)).toEqual(jids);
    expect(others).toEqual([]);
  });

  it('names who asks to join where the notice alone says so', () => {
    expect(peopleOf(node('created_membership_requests'))[0]?.participants).toEqual([{ address: BOB }]);
  });

  it('becomes several facts where it names many, each under a key of its own', () => {
    const many = Array.from({ length: 2_000 }, (_, index) => person(`${10_000 + index}@lid`));
    const facts = peopleOf(node('add', {}, many));

    expect(facts.map(({ participants }) => participants.length)).toEqual([512, 512, 512, 464]);
    expect(new Set(facts.map(({ key }) => key)).size).toBe(4);
    for (const fact of facts) expect(makeSafe(fact, NOW).outcome).toBe('safe');
  });

  it('tells nothing where it is about no group, or cannot be told apart from others', () => {
    const change = [node('locked')];

    for (const from of ['222@lid', '49151@s.whatsapp.net', '@g.us', 'x@g.us', '']) {
      expect(toGroupFacts({ ...notice(), attrs: { from, id: '1' }, content: change })).toEqual([]);
    }
    expect(toGroupFacts({ ...notice(), attrs: { from: GROUP }, content: change })).toEqual([]);
    expect(toGroupPictureFact(node('notification', { from: '222@lid', id: '1' }, [node('set')]))).toBeUndefined();
  });

  it('is bounded and well-formed, whatever an administrator writes into it', () => {
    const words = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('👩🏽‍🚀'.repeat(3_000), '\ud83d', '\0', '\uffff', '9'.repeat(400), '-1', '1e9', 'NaN'),
    );
    const attrs = fc.dictionary(
      fc.constantFrom('subject', 'code', 'expiration', 'state', 'jid', 'phone_number', 'reason', 'id', 'link_type'),
      words,
      { maxKeys: 5 },
    );
    const tags = fc.constantFrom(
      'subject',
      'description',
      'ephemeral',
      'invite',
      'link',
      'unlink',
      'create',
      'add',
      'remove',
      'modify',
      'x',
      'member_add_mode',
      'membership_approval_mode',
      'created_membership_requests',
      'toString',
      '__proto__',
    );
    const inner = fc
      .record({
        tag: fc.constantFrom('participant', 'group', 'body', 'group_join', 'requested_user'),
        attrs,
        text: words,
      })
      .map(({ tag, attrs: given, text }) => node(tag, given, Buffer.from(text)));
    const child = fc
      .record({
        tag: tags,
        attrs,
        content: fc.oneof(
          fc.array(inner, { maxLength: 4 }),
          words.map((text) => Buffer.from(text)),
        ),
      })
      .map(({ tag, attrs: given, content }) => node(tag, given, content));

    expect(() =>
      fc.assert(
        fc.property(fc.array(child, { maxLength: 4 }), (children) => {
          for (const fact of toGroupFacts(notice(...children))) {
            const safe = makeSafe(fact, NOW);
            const told = safe.outcome === 'safe' ? safe.fact : undefined;
            expect(told && factRows[fact.kind].schema.safeParse(told).success).toBe(true);
            expect(told && makeSafe(told, NOW)).toEqual(safe);
          }
        }),
        { numRuns: 150 },
      ),
    ).not.toThrow();
  });
});

describe('a group as it is shown', () => {
  it('has the members that fit, administrators first, and says whether they are all', () => {
    const members = Array.from({ length: 5_000 }, (_, index) =>
      person(`${100_000_000_000_000 + index}@lid`, { phone_number: `4915100${10_000 + index}@s.whatsapp.net` }),
    );
    const admin = person('999@lid', { type: 'admin' });
    const group = toGroup(node('group', { id: '1', subject: 'x'.repeat(9_000), size: '5001' }, [...members, admin]));

    expect(group?.participants?.[0]).toEqual({ id: '999@lid', lid: '999@lid', role: 'admin' });
    expect(group?.participants_complete).toBe(false);
    expect(Buffer.byteLength(JSON.stringify(group))).toBeLessThan(120 * 1_024);
    const largest = toGroup(node('group', { id: '1', size: '1024' }, members.slice(0, 1_024)));
    expect([largest?.participants?.length, largest?.participants_complete]).toEqual([1_024, true]);
  });

  it('is none without an address of a group', () => {
    expect(toGroup(node('group', { id: 'x' }))).toBeUndefined();
    expect(toGroup(node('group'))).toBeUndefined();
  });

  it('is cut by bytes and not by characters', () => {
    expect(fitInto(['é', 'é', 'é'], 10)).toEqual({ shown: ['é', 'é'], complete: false });
    expect(fitInto([], 0)).toEqual({ shown: [], complete: true });
  });
});
