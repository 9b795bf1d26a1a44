import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { actionRows, type AskedAction } from '../../../../shared/action/actionKinds.ts';
import type { ActionRow } from '../../../../shared/action/actionRow.ts';
import type { GroupView, PersonOutcome } from '../../../../shared/action/groupFields.ts';
import type { GroupChangeFact } from '../../../../shared/event/facts/groupChangeFact.ts';
import type { GroupParticipantsFact } from '../../../../shared/event/facts/groupParticipantsFact.ts';
import { linkOfCode } from '../../../../shared/action/kinds/groupInvites.ts';
import type { GroupDescription } from '../../../whatsapp/client.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { until } from '../../../whatsapp/until.ts';
import { jidOf } from '../../../whatsapp/world.ts';
import { ANN, BOB, SocketRoom } from '../socketRoom.ts';

silenceConsole();
const CAT = '4915100000003';
const DAN = '4915100000004';
const NOBODY = '+4915199999999';
const NO_GROUP = '120363000000000000@g.us';

describe('groups on a real socket', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.client.addPhone(CAT, 'Cat');
    await room.client.addPhone(DAN, 'Dan');
    await room.client.closeToGroups(DAN, true);
    await room.pairByQr();
  });
  afterEach(() => room.client.clearFaults());
  afterAll(() => room.stop());

  const ask = (action: AskedAction) => {
    if (room.socket === undefined) throw new Error('there is no socket');
    return room.socket.ask(action, `${ANN}@s.whatsapp.net`);
  };
  /** The result of an action that succeeds. */
  const done = async <Result>(action: AskedAction): Promise<Result> => {
    const outcome = await ask(action);
    expect(outcome).toMatchObject({ outcome: 'succeeded' });
    return ('result' in outcome ? outcome.result : undefined) as Result;
  };
  const lidOf = (number: string): string => {
    const account = room.whatsApp.world.accounts.get(number);
    if (account === undefined) throw new Error(`${number} has no phone`);
    return jidOf(account, 0, 'lid');
  };
  const contactOf = (number: string) => ({ id: lidOf(number), phoneNumber: `+${number}`, lid: lidOf(number) });
  const groupOf = async (id: string): Promise<GroupDescription> =>
    (await room.client.groups()).find((group) => group.id === id) as GroupDescription;
  const ours = async (subject: string, members: readonly string[] = [BOB]): Promise<string> => {
    const { group } = await done<{ readonly group: GroupView }>({
      kind: 'group_create',
      request: { subject, participants: members.map((number) => `+${number}`) },
    });
    return group.id;
  };
  const changed = (group: string, isWanted: (fact: GroupChangeFact) => boolean = () => true) =>
    until(
      'a change of the group',
      () => room.facts.find((fact) => fact.kind === 'group_change' && fact.group === group && isWanted(fact)),
      (fact) => fact !== undefined,
    ) as Promise<GroupChangeFact>;
  const people = (group: string, change: GroupParticipantsFact['change']) =>
    until(
      `${change} in the group`,
      () =>
        room.facts.find((fact) => fact.kind === 'group_participants' && fact.group === group && fact.change === change),
      (fact) => fact !== undefined,
    ) as Promise<GroupParticipantsFact>;

  describe('are made', () => {
    it('with a setting and people, of whom each is told what became of them', async () => {
      const { group, participants } = await done<{ readonly group: GroupView; readonly participants: PersonOutcome[] }>(
        {
          kind: 'group_create',
          request: {
            subject: 'Shop staff 👩🏽‍🚀',
            description: 'Shifts',
            participants: [`+${BOB}`, `+${DAN}`, NOBODY],
            join_approval_mode: 'approval_required',
          },
        },
      );

      expect(group).toMatchObject({
        subject: 'Shop staff 👩🏽‍🚀',
        description: 'Shifts',
        created_by: contactOf(ANN),
        settings: { join_approval_mode: 'approval_required', announcement: false, disappearing_seconds: 0 },
        participants_complete: true,
      });
      expect(participants).toEqual([
        { input: `+${BOB}`, contact: contactOf(BOB), outcome: 'done' },
        {
          input: `+${DAN}`,
          contact: contactOf(DAN),
          outcome: 'invitation_needed',
          whatsappCode: 403,
          invite: { code: expect.stringMatching(/^\w{16}$/) as string, expires_at: expect.any(String) as string },
        },
        { input: NOBODY, outcome: 'no_account' },
      ]);
      expect((await groupOf(group.id)).members).toEqual({ [ANN]: 'superadmin', [BOB]: 'member' });
    });

    it('with each person named once, however the request names them, and without the account itself', async () => {
      const participants = [`+${BOB}`, BOB, lidOf(BOB), `+${ANN}`, lidOf(ANN), NOBODY];
      const made = await done<{ readonly group: GroupView; readonly participants: PersonOutcome[] }>({
        kind: 'group_create',
        request: { subject: 'constructor', participants },
      });
      const { subject, members } = await groupOf(made.group.id);

      expect(made.participants.map(({ outcome }) => outcome)).toEqual([
        ...participants.slice(1).map(() => 'done'),
        'no_account',
      ]);
      expect(subject).toBe('constructor');
      expect(members).toEqual({ [ANN]: 'superadmin', [BOB]: 'member' });
    });

    it('and are looked up, and listed', async () => {
      const id = await ours('Looked up');
      const { group } = await done<{ readonly group: GroupView }>({ kind: 'group_find', request: { group: id } });
      const { groups, hasMore } = await done<{ readonly groups: GroupView[]; readonly hasMore: boolean }>({
        kind: 'group_list',
        request: {},
      });
      const last = groups.at(-1)?.id ?? '';
      const rest = await done({ kind: 'group_list', request: { after: last } });

      expect(group).toMatchObject({ id, subject: 'Looked up', total_participant_count: 2 });
      expect(group.participants).toEqual([
        { ...contactOf(ANN), role: 'superadmin' },
        { ...contactOf(BOB), role: 'member' },
      ]);
      expect(groups.map((one) => one.id)).toContain(id);
      expect(groups.map((one) => one.id)).toEqual(groups.map((one) => one.id).toSorted());
      expect(hasMore).toBe(false);
      expect(rest).toEqual({ groups: [], hasMore: false });
    });
  });

  describe('refuse with the number of WhatsApp', () => {
    it.each([
      ['what is not there', 404, async (): Promise<string> => NO_GROUP],
      [
        'what the account is not in',
        403,
        async (): Promise<string> => (await room.client.addGroup(BOB, 'foreign', [CAT])).id,
      ],
      [
        'what the account was removed from',
        403,
        async (): Promise<string> => {
          const { id } = await room.client.addGroup(BOB, 'left behind', [ANN]);
          await done({ kind: 'group_find', request: { group: id } });
          await room.client.changeMembers(id, BOB, 'remove', [ANN]);
          return id;
        },
      ],
    ] as const)('%s: a look-up, a change and people', async (_which, whatsappCode, target) => {
      const group = await target();
      const refused = { outcome: 'refused', error: { code: 'refused', whatsappCode } };

      expect(await ask({ kind: 'group_find', request: { group } })).toEqual(refused);
      expect(await ask({ kind: 'group_subject_set', request: { group, subject: 'mine' } })).toEqual(refused);
      expect(await ask({ kind: 'group_leave', request: { group } })).toEqual(refused);
    });

    it('who is no administrator', async () => {
      const { id: group } = await room.client.addGroup(BOB, 'of Bob', [ANN, CAT]);
      const settings = { announcement: true };

      const outcomes = [
        await ask({ kind: 'group_participants_remove', request: { group, participants: [`+${CAT}`] } }),
        await ask({ kind: 'group_settings_set', request: { group, settings } }),
        await ask({ kind: 'group_invite_find', request: { group } }),
        await ask({ kind: 'group_requests_list', request: { group } }),
      ];

      expect(outcomes.map((one) => 'error' in one && one.error.whatsappCode)).toEqual([403, 403, 401, 401]);
      expect((await groupOf(group)).members).toHaveProperty(CAT);
    });

    it.each([
      ['429 as a limit', 429, { outcome: 'limited', whatsappCode: 429 }],
      ['503 of a change as an end that nobody knows', 503, { outcome: 'unanswered', whatsappCode: 503 }],
    ])('%s', async (_which, code, expected) => {
      const group = await ours('limited');
      await room.client.fault({ kind: 'iq_error', xmlns: 'w:g2', code });

      expect(await ask({ kind: 'group_subject_set', request: { group, subject: 'x' } })).toEqual(expected);
    });

    it('and say of a question before a change, which is not answered, that nothing of the change has left', async () => {
      const group = await ours('asked before');
      await room.client.fault({ kind: 'iq_error', xmlns: 'usync', code: 503 });
      const request = { group, participants: ['+4915177777777'] };

      expect(await ask({ kind: 'group_participants_add', request })).toEqual({
        outcome: 'unanswered',
        whatsappCode: 503,
        nothingLeft: true,
      });
    });

    it('every kind of question and change, and say of silence that there was none', async () => {
      // The person in the examples of the rows.
      await room.client.addPhone('4915123456789', 'Eve');
      const group = await ours('refused', []);
      const asked = (actionRows as readonly unknown[] as readonly ActionRow[])
        .filter(({ kind }) => /^(?:group|community)_(?!picture)/.test(kind))
        .map(({ kind, example: { request } }) => {
          const named = Object.keys(request).filter((name) => name === 'group' || name === 'community');
          const about = Object.fromEntries(named.map((name) => [name, group]));
          return { kind, request: { ...request, ...about } } as AskedAction;
        });
      const outcomes = async () => {
        const all = await Promise.all(asked.map(async (action) => [action.kind, await ask(action)] as const));
        return all.map(([kind, outcome]) => [kind, outcome.outcome, 'error' in outcome ? outcome.error : undefined]);
      };

      await room.client.fault({ kind: 'iq_error', xmlns: 'w:g2', code: 401 });
      const refused = await outcomes();
      await room.client.clearFaults();
      await room.client.fault({ kind: 'iq_hang', xmlns: 'w:g2' });
      const silent = await outcomes();

      const error = { code: 'refused', whatsappCode: 401 };
      expect(refused).toEqual(asked.map(({ kind }) => [kind, 'refused', error]));
      expect(silent).toEqual(asked.map(({ kind }) => [kind, 'unanswered', undefined]));
      expect(asked.length).toBeGreaterThan(20);
    });
  });

  describe('have people', () => {
    it('who are added, promoted, demoted and removed, each with an outcome of their own', async () => {
      const group = await ours('people', [BOB]);
      const of = (participants: string[]) => ({ group, participants });
      type Told = { readonly participants: PersonOutcome[] };

      const added = await done<Told>({
        kind: 'group_participants_add',
        request: of([`+${CAT}`, `+${DAN}`, `+${BOB}`, NOBODY]),
      });
      const promoted = await done<Told>({ kind: 'group_participants_promote', request: of([lidOf(CAT), `+${DAN}`]) });
      const { members } = await groupOf(group);
      await done({ kind: 'group_participants_demote', request: of([`+${CAT}`]) });
      const removed = await done<Told>({ kind: 'group_participants_remove', request: of([`+${CAT}`]) });

      expect(added.participants.map(({ outcome, whatsappCode }) => [outcome, whatsappCode])).toEqual([
        ['done', undefined],
        ['invitation_needed', 403],
        ['refused', 409],
        ['no_account', undefined],
      ]);
      expect(promoted.participants).toMatchObject([
        { outcome: 'done', contact: contactOf(CAT) },
        { outcome: 'refused', whatsappCode: 404 },
      ]);
      expect(members[CAT]).toBe('admin');
      expect(removed.participants).toMatchObject([{ outcome: 'done' }]);
      expect((await groupOf(group)).members).toEqual({ [ANN]: 'superadmin', [BOB]: 'member' });
    });

    it('of whom one that was removed reads nothing that follows', async () => {
      const group = await ours('readers', [BOB, CAT]);
      const shown = (number: string, text: string) =>
        until(
          `${text} at ${number}`,
          async () => (await room.client.messages(number)).some((message) => message.text === text),
          (isShown) => isShown,
        );
      await room.send('for all of us', undefined, group);
      await Promise.all([BOB, CAT].map((number) => shown(number, 'for all of us')));

      await done({ kind: 'group_participants_remove', request: { group, participants: [`+${CAT}`] } });
      await room.send('for those who are left', undefined, group);
      await shown(BOB, 'for those who are left');

      expect((await room.client.messages(CAT)).filter(({ chat }) => chat === group).map(({ text }) => text)).toEqual([
        'for all of us',
      ]);
    });

    it('whose list is asked for once for a hundred messages, and anew when it has changed', async () => {
      const { id } = await room.client.addGroup(BOB, 'busy', [ANN, CAT]);
      await changed(id);
      const before = (await room.client.stats()).groupQueries;
      for (let message = 0; message < 100; message += 1) await room.send(`busy ${message}`, undefined, id);
      const forHundred = (await room.client.stats()).groupQueries - before;
      await room.client.changeMembers(id, BOB, 'remove', [CAT]);
      await people(id, 'removed');
      await room.send('after the change', undefined, id);

      expect(forHundred).toBeLessThanOrEqual(1);
      expect((await room.client.stats()).groupQueries - before).toBe(forHundred + 1);
    });
  });

  describe('are changed', () => {
    it('in subject and description, which is removed as well', async () => {
      const group = await ours('before');
      await done({ kind: 'group_subject_set', request: { group, subject: 'after' } });
      await done({ kind: 'group_description_set', request: { group, description: 'one' } });
      await done({ kind: 'group_description_set', request: { group, description: 'two' } });
      const { subject, description } = await groupOf(group);
      await done({ kind: 'group_description_set', request: { group, description: '' } });

      expect([subject, description, (await groupOf(group)).description]).toEqual(['after', 'two', '']);
    });

    it('with a subject that WhatsApp finds too long', async () => {
      const group = await ours('short');

      expect(await ask({ kind: 'group_subject_set', request: { group, subject: '👩'.repeat(120) } })).toEqual({
        outcome: 'refused',
        error: { code: 'refused', whatsappCode: 406 },
      });
    });

    it.each([
      [{ announcement: true }, { announcement: true }],
      [{ announcement: false }, { announcement: false }],
      [{ locked: true }, { locked: true }],
      [{ member_add_mode: 'everybody' }, { memberAddMode: 'all_member_add' }],
      [{ member_add_mode: 'admins' }, { memberAddMode: 'admin_add' }],
      [{ join_approval_mode: 'approval_required' }, { approval: true }],
      [{ join_approval_mode: 'auto_approve' }, { approval: false }],
      [{ disappearing_seconds: 604_800 }, { ephemeral: 604_800 }],
      [{ disappearing_seconds: 0 }, { ephemeral: 0 }],
    ] as const)('in the setting %j', async (settings, expected) => {
      const group = await ours('settings');

      expect(await done({ kind: 'group_settings_set', request: { group, settings } })).toMatchObject({ settings });
      expect((await groupOf(group)).settings).toMatchObject(expected);
    });

    it('by leaving', async () => {
      const group = await ours('left');
      await done({ kind: 'group_leave', request: { group } });

      expect((await groupOf(group)).members).toEqual({ [BOB]: 'member' });
    });
  });

  describe('are joined', () => {
    const link = async (group: string): Promise<string> =>
      (await done<{ readonly invite_link: string }>({ kind: 'group_invite_find', request: { group } })).invite_link;

    it('by a link that is looked up, previewed and reset', async () => {
      const group = await ours('linked');
      const first = await link(group);
      const { invite_link: second } = await done<{ readonly invite_link: string }>({
        kind: 'group_invite_reset',
        request: { group },
      });
      const preview = await done<{ readonly group: GroupView }>({
        kind: 'group_invite_preview',
        request: { invite_link: second },
      });
      const refusals = [
        await ask({ kind: 'group_invite_preview', request: { invite_link: first } }),
        await ask({ kind: 'group_invite_preview', request: { invite_link: 'abcdefghijklmn' } }),
      ];

      expect(first).toMatch(/^https:\/\/chat\.whatsapp\.com\/\w{22}$/);
      expect(second).toBe(linkOfCode((await groupOf(group)).code));
      expect(second).not.toBe(first);
      expect(preview.group).toMatchObject({ id: group, subject: 'linked', total_participant_count: 2 });
      expect(preview.group.participants).toBeUndefined();
      expect(refusals.map((one) => 'error' in one && one.error.whatsappCode)).toEqual([410, 406]);
    });

    it('at once, or by asking where the group asks its administrators', async () => {
      const open = await room.client.addGroup(BOB, 'open', [CAT]);
      const asking = await room.client.addGroup(BOB, 'asking', [CAT]);
      await room.client.askGroups(BOB, 'set', asking.id, {
        tag: 'membership_approval_mode',
        content: [{ tag: 'group_join', attrs: { state: 'on' } }],
      });

      const at = await done({ kind: 'group_invite_join', request: { invite_link: linkOfCode(open.code) } });
      const by = await done({ kind: 'group_invite_join', request: { invite_link: asking.code } });

      expect(at).toEqual({ group: { id: open.id }, joined: true });
      expect(by).toEqual({ group: { id: asking.id }, joined: false });
      expect((await groupOf(open.id)).members).toHaveProperty(ANN);
      expect((await groupOf(asking.id)).requests).toEqual([ANN]);
    });

    it('by an invitation of the account alone', async () => {
      await room.client.closeToGroups(ANN, true);
      const { id: group } = await room.client.addGroup(BOB, 'by invitation', []);
      await room.client.askGroups(BOB, 'set', group, {
        tag: 'add',
        content: [{ tag: 'participant', attrs: { jid: lidOf(ANN) } }],
      });
      await room.client.closeToGroups(ANN, false);
      const [invitation] = room.whatsApp.world.groups.get(group)?.invitations ?? [];
      const request = {
        group,
        code: invitation?.code ?? '',
        inviter: `+${BOB}`,
        code_expires_at: new Date((invitation?.expiresAt ?? 0) * 1_000).toISOString(),
      };

      expect(await done({ kind: 'group_invitation_accept', request })).toMatchObject({ joined: true });
      expect((await groupOf(group)).members).toHaveProperty(ANN);
      expect(await ask({ kind: 'group_invitation_accept', request })).toEqual({
        outcome: 'refused',
        error: { code: 'refused', whatsappCode: 401 },
      });
    });

    it('by people whose requests are listed, approved and rejected, each with an outcome', async () => {
      const group = await ours('requests');
      await done({
        kind: 'group_settings_set',
        request: { group, settings: { join_approval_mode: 'approval_required' } },
      });
      const { code } = await groupOf(group);
      for (const number of [CAT, DAN]) {
        await room.client.askGroups(number, 'set', '@g.us', { tag: 'invite', attrs: { code } });
      }
      type Told = { readonly join_requests: PersonOutcome[] };
      await people(group, 'requested');
      const listed = await done<{ readonly join_requests: readonly { readonly id: string }[] }>({
        kind: 'group_requests_list',
        request: { group },
      });
      const approved = await done<Told>({
        kind: 'group_requests_approve',
        request: { group, join_requests: [lidOf(CAT), `+${BOB}`] },
      });
      const rejected = await done<Told>({
        kind: 'group_requests_reject',
        request: { group, join_requests: [`+${DAN}`] },
      });

      expect(listed.join_requests).toMatchObject([
        { id: lidOf(CAT), contact: contactOf(CAT), via: 'invite_link' },
        { id: lidOf(DAN), contact: contactOf(DAN) },
      ]);
      expect(approved.join_requests).toMatchObject([{ outcome: 'done' }, { outcome: 'refused', whatsappCode: 404 }]);
      expect(rejected.join_requests).toMatchObject([{ outcome: 'done', contact: contactOf(DAN) }]);
      expect(Object.keys((await groupOf(group)).members)).toEqual([ANN, BOB, CAT]);
      expect((await groupOf(group)).requests).toEqual([]);
    });
  });

  it('belong to communities, which are made, listed, and taken apart', async () => {
    const { community } = await done<{ readonly community: GroupView }>({
      kind: 'community_create',
      request: { subject: 'Neighbours', description: 'All of us' },
    });
    const group = await ours('in it');
    const both = { community: community.id, group };
    const list = async () =>
      (
        await done<{ readonly groups: readonly GroupView[] }>({
          kind: 'community_groups_list',
          request: { community: community.id },
        })
      ).groups;

    await done({ kind: 'community_group_link', request: both });
    const linked = await list();
    const twice = await ask({ kind: 'community_group_link', request: both });
    const { group: inside } = await done<{ readonly group: GroupView }>({
      kind: 'group_create',
      request: { subject: 'made inside', community: community.id },
    });
    await done({ kind: 'community_group_unlink', request: both });
    const left = await list();
    const [announcements] = linked.filter(({ is_announcements: is }) => is);

    expect(community).toMatchObject({ is_community: true, description: 'All of us' });
    expect(linked.map(({ subject }) => subject).toSorted()).toEqual(['Neighbours', 'in it']);
    expect(twice).toEqual({ outcome: 'refused', error: { code: 'refused', whatsappCode: 409 } });
    expect(inside.community).toBe(community.id);
    expect(left.map(({ subject }) => subject).toSorted()).toEqual(['Neighbours', 'made inside']);
    expect(
      await ask({
        kind: 'community_group_unlink',
        request: { community: community.id, group: announcements?.id ?? '' },
      }),
    ).toEqual({ outcome: 'refused', error: { code: 'refused', whatsappCode: 403 } });
  });

  describe('tell of what others change', () => {
    it('with who did it, each change once', async () => {
      const { id } = await room.client.addGroup(BOB, 'told of', [ANN]);
      const by = lidOf(BOB);
      const joined = await changed(id);
      await room.client.askGroups(BOB, 'set', id, { tag: 'subject', content: 'another name' });
      await room.client.askGroups(BOB, 'set', id, { tag: 'locked' });
      await room.client.askGroups(BOB, 'set', id, { tag: 'ephemeral', attrs: { expiration: '86400' } });
      await room.client.askGroups(BOB, 'set', id, { tag: 'invite' });
      await room.client.changeMembers(id, BOB, 'add', [CAT]);
      await room.client.changeMembers(id, BOB, 'promote', [CAT]);
      await room.client.changeMembers(id, CAT, 'remove', [CAT]);
      const left = await people(id, 'left');

      expect(joined).toMatchObject({ changes: { joined: true, subject: 'told of', announcement: false }, by });
      expect(await changed(id, ({ changes }) => changes.subject === 'another name')).toMatchObject({ by });
      expect(await changed(id, ({ changes }) => changes.locked === true)).toMatchObject({ by });
      expect(await changed(id, ({ changes }) => changes.disappearing_seconds === 86_400)).toMatchObject({ by });
      const { changes } = await changed(id, (fact) => fact.changes.invite_link !== undefined);
      expect(changes.invite_link).toBe(linkOfCode((await groupOf(id)).code));
      const cat = { address: lidOf(CAT), alias: `${CAT}@s.whatsapp.net` };
      expect(await people(id, 'added')).toMatchObject({ by, byAlias: `${BOB}@s.whatsapp.net`, participants: [cat] });
      expect(await people(id, 'promoted')).toMatchObject({ by, participants: [cat] });
      expect(left).toMatchObject({ by: lidOf(CAT), participants: [cat] });
      const keys = room.facts.flatMap((fact) => (fact.kind === 'group_change' ? [fact.key] : []));
      expect(new Set(keys).size).toBe(keys.length);
    });

    it('and of their pictures', async () => {
      const { id } = await room.client.addGroup(BOB, 'pictured', [ANN]);
      const jpeg = Buffer.from('ffd8ffc0001108028002800301220002110103110000', 'hex');
      await room.client.files.setPicture(BOB, jpeg, id);
      const set = await changed(id, ({ changes }) => changes.picture === 'set');
      await room.client.files.setPicture(BOB, undefined, id);

      expect(set).toMatchObject({ by: lidOf(BOB), changes: { pictureId: expect.any(String) as string } });
      expect(await changed(id, ({ changes }) => changes.picture === 'removed')).toMatchObject({ by: lidOf(BOB) });
    });

    it('before the notice is acknowledged, so that one that could not be told comes again', async () => {
      const { id } = await room.client.addGroup(BOB, 'durable', [ANN]);
      await changed(id);
      const publish = room.publish;
      room.publish = () => Promise.reject(new Error('the queue is away'));
      await room.client.askGroups(BOB, 'set', id, { tag: 'subject', content: 'told in the end' });
      await room.input('socket_closed');
      room.publish = publish;
      await room.login();

      expect(await changed(id, ({ changes }) => changes.subject === 'told in the end')).toMatchObject({
        by: lidOf(BOB),
      });
    });
  });
});
