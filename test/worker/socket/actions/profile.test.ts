import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { actionRows, type AskedAction } from '../../../../shared/action/actionKinds.ts';
import type { ActionRow } from '../../../../shared/action/actionRow.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { until } from '../../../whatsapp/until.ts';
import { jidOf } from '../../../whatsapp/world.ts';
import { ANN, BOB, BOB_JID, SocketRoom } from '../socketRoom.ts';

silenceConsole();
const CAT = '4915100000003';
const NOBODY = '+4915199999999';

describe('what people and the account show of themselves, on a real socket', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.client.addPhone(CAT, 'Cat');
    // The person in the examples of the rows.
    await room.client.addPhone('4915123456789', 'Eve');
    await room.pairByQr();
  });
  afterEach(() => room.client.clearFaults());
  afterAll(() => room.stop());

  const ask = (action: AskedAction) => {
    if (room.socket === undefined) throw new Error('there is no socket');
    return room.socket.ask(action, `${ANN}@s.whatsapp.net`);
  };
  const resultOf = async (action: AskedAction): Promise<Readonly<Record<string, unknown>>> => {
    const outcome = await ask(action);
    expect(outcome).toMatchObject({ outcome: 'succeeded' });
    return 'result' in outcome ? outcome.result : {};
  };
  const lidOf = (number: string): string => {
    const account = room.whatsApp.world.accounts.get(number);
    if (account === undefined) throw new Error(`${number} has no phone`);
    return jidOf(account, 0, 'lid');
  };
  const contactOf = (number: string) => ({ id: lidOf(number), phoneNumber: `+${number}`, lid: lidOf(number) });
  const bob = { contact: `+${BOB}` };

  it('an about is found, none, or hidden, and nobody is at some numbers', async () => {
    const find = (contact = `+${BOB}`) => ask({ kind: 'contact_about_find', request: { contact } });
    await room.client.setProfile(BOB, { about: 'At work 👩🏽‍🚀' });
    const found = await find();
    await room.client.setProfile(BOB, { aboutIsHidden: true });
    const hidden = await find(lidOf(BOB));
    await room.client.setProfile(BOB, { about: '', aboutIsHidden: false });

    expect(found).toMatchObject({
      result: { contact: contactOf(BOB), about: 'found', text: 'At work 👩🏽‍🚀', set_at: expect.any(String) as string },
    });
    const byLid = { id: lidOf(BOB), lid: lidOf(BOB) };
    expect(hidden).toEqual({ outcome: 'succeeded', result: { contact: byLid, about: 'hidden' } });
    expect(await find()).toMatchObject({ result: { about: 'none' } });
    const nobody = { outcome: 'refused', error: { code: 'recipient_has_no_account' } };
    expect(await find(NOBODY)).toEqual(nobody);
    expect(await find('999999999999999@lid')).toEqual(nobody);
  });

  it('a business profile is found, bounded and well-formed, and who has none is no business', async () => {
    await room.client.setProfile(CAT, {
      business: {
        tag: 'profile',
        content: [
          { tag: 'description', content: 'x'.repeat(5_000) },
          { tag: 'website', content: 'https://example.com' },
          { tag: 'website', content: 'a\0b' },
          { tag: 'categories', content: [{ tag: 'category', content: 'Bakery' }] },
          {
            tag: 'business_hours',
            attrs: { timezone: 'Europe/Berlin' },
            content: [
              {
                tag: 'business_hours_config',
                attrs: { day_of_week: 'mon', mode: 'specific_hours', open_time: '540', close_time: '1050' },
              },
              { tag: 'business_hours_config', attrs: { day_of_week: 'tue', mode: 'open_24h', open_time: '99999' } },
            ],
          },
        ],
      },
    });

    const shop = await resultOf({ kind: 'contact_business_find', request: { contact: `+${CAT}` } });
    const person = await resultOf({ kind: 'contact_business_find', request: bob });

    expect(shop).toEqual({
      contact: contactOf(CAT),
      is_business: true,
      profile: {
        description: 'x'.repeat(1_024),
        websites: ['https://example.com', 'a\ufffdb'],
        categories: ['Bakery'],
        timezone: 'Europe/Berlin',
        hours: [
          { day: 'mon', mode: 'specific_hours', opens: '09:00', closes: '17:30' },
          { day: 'tue', mode: 'open_24h' },
        ],
      },
    });
    expect(person).toEqual({ contact: contactOf(BOB), is_business: false });
    // Nobody here knows the number of this LID, under which there might be a profile.
    const stranger = '999999999999999@lid';
    expect(await resultOf({ kind: 'contact_business_find', request: { contact: stranger } })).toEqual({
      contact: { id: stranger, lid: stranger },
    });
  });

  it('somebody is there, was there, or shows nothing', async () => {
    const find = () => resultOf({ kind: 'contact_presence_find', request: bob });
    await room.client.setProfile(BOB, { presence: { isAvailable: true } });
    const there = await find();
    await room.client.setProfile(BOB, { presence: { isAvailable: false, last: '1790000000' } });
    const gone = await find();
    await room.client.setProfile(BOB, { presence: { isAvailable: false } });
    const hidden = await find();
    await room.client.setProfile(BOB, { presence: null });

    expect(there).toEqual({ contact: contactOf(BOB), presence: 'available' });
    expect(gone).toEqual({ contact: contactOf(BOB), presence: 'unavailable', last_seen: '2026-09-21T14:13:20.000Z' });
    expect(hidden).toEqual({ contact: contactOf(BOB), presence: 'unavailable' });
    expect(await find()).toEqual({ contact: contactOf(BOB), presence: 'unknown' });
    // A subscription is no presence of the account itself.
    expect((await room.client.stats()).presence[ANN]).not.toBe('subscribe');
  });

  describe('a person is blocked', () => {
    const list = () => resultOf({ kind: 'block_list', request: {} });
    const told = (isBlocked: boolean) =>
      until(
        `blocked is ${isBlocked}`,
        () => room.facts.findLast((fact) => fact.kind === 'contact_change' && fact.blocked === isBlocked),
        (fact) => fact !== undefined,
      );

    it('and no longer, twice as well as once, and what they write comes or not', async () => {
      const before = room.texts().length;
      await resultOf({ kind: 'contact_block', request: bob });
      const blocked = await resultOf({ kind: 'contact_block', request: { contact: lidOf(BOB) } });
      const listed = await list();
      await room.client.write(BOB, ANN, 'from somebody who is blocked');
      const unblocked = await resultOf({ kind: 'contact_unblock', request: bob });
      await resultOf({ kind: 'contact_unblock', request: bob });
      await room.client.write(BOB, ANN, 'from somebody who is blocked no more');
      const texts = await until(
        'the second text',
        () => room.texts().slice(before),
        (all) => all.length > 0,
      );

      expect(blocked).toEqual({ contact: contactOf(BOB), blocked: true });
      expect(listed).toEqual({ contacts: [contactOf(BOB)], complete: true });
      expect(unblocked).toEqual({ contact: contactOf(BOB), blocked: false });
      expect(texts).toEqual(['from somebody who is blocked no more']);
      expect(await list()).toEqual({ contacts: [], complete: true });
    });

    it('on the phone, which is told with both names', async () => {
      await room.client.block(ANN, BOB, 'block');
      const block = await told(true);
      await room.client.block(ANN, BOB, 'unblock');
      const unblock = await told(false);

      expect(block).toMatchObject({ contact: lidOf(BOB), contactAlias: BOB_JID });
      expect(unblock).toMatchObject({ contact: lidOf(BOB) });
    });
  });

  it('the account shows its about, its timer and its devices, and changes them', async () => {
    await resultOf({ kind: 'profile_about_set', request: { about: 'Open until six' } });
    await resultOf({ kind: 'profile_disappearing_set', request: { disappearing_seconds: 604_800 } });
    const profile = await resultOf({ kind: 'profile_find', request: {} });
    await resultOf({ kind: 'profile_about_set', request: { about: '' } });

    expect(profile).toMatchObject({
      contact: contactOf(ANN),
      about: 'Open until six',
      disappearing_seconds: 604_800,
      devices: [
        { number: 0, is_phone: true, is_this: false },
        { number: 1, is_phone: false, is_this: true },
      ],
    });
    expect(await room.client.profile(ANN)).toMatchObject({ about: '', disappearing: 604_800 });
  });

  it.each([
    [{ last_seen: 'contacts' }, { last: 'contacts' }],
    [{ online: 'as_last_seen' }, { online: 'match_last_seen' }],
    [{ picture: 'nobody' }, { profile: 'none' }],
    [{ about: 'everybody' }, { status: 'all' }],
    [{ read_receipts: 'nobody' }, { readreceipts: 'none' }],
    [{ group_add: 'contacts' }, { groupadd: 'contacts' }],
    [{ call_add: 'known' }, { calladd: 'known' }],
  ] as const)('the account has the privacy setting %j', async (privacy, expected) => {
    expect(await resultOf({ kind: 'privacy_set', request: { privacy } })).toEqual({ privacy });
    expect((await room.client.profile(ANN)).privacy).toMatchObject(expected);
    expect((await resultOf({ kind: 'privacy_find', request: {} }))['privacy']).toMatchObject(privacy);
  });

  it('every kind says the number of a refusal, and silence within its deadline', async () => {
    const asked = (actionRows as readonly unknown[] as readonly ActionRow[])
      .filter(({ kind }) => /^(?:contact_(?!presence)|block_|profile_(?!picture)|privacy_)/.test(kind))
      .map(({ kind, example: { request } }) => ({ kind, request }) as AskedAction);
    const spaces = ['usync', 'w:biz', 'blocklist', 'status', 'disappearing_mode', 'privacy'];
    const outcomes = async () => {
      const all = await Promise.all(asked.map(async (action) => [action.kind, await ask(action)] as const));
      return all.map(([kind, outcome]) => [kind, outcome.outcome, 'error' in outcome ? outcome.error : undefined]);
    };

    for (const xmlns of spaces) await room.client.fault({ kind: 'iq_error', xmlns, code: 403 });
    const refused = await outcomes();
    await room.client.clearFaults();
    for (const xmlns of spaces) await room.client.fault({ kind: 'iq_hang', xmlns });
    const silent = await outcomes();

    const error = { code: 'refused', whatsappCode: 403 };
    expect(refused).toEqual(asked.map(({ kind }) => [kind, 'refused', error]));
    expect(silent).toEqual(asked.map(({ kind }) => [kind, 'unanswered', undefined]));
    expect(asked).toHaveLength(10);
  });
});
