import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeStanzaId } from '../../../../shared/kernel/id.ts';
import { systemRandom } from '../../../../shared/kernel/random.ts';
import { someContent } from '../../../shared/content/someContent.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, BOB_JID, SocketRoom } from '../socketRoom.ts';

silenceConsole();

const CHLOE = '4915100000003';
const DAVE = '4915100000004';
const EVE = '554788211984';
/** The same account, written with the digit that its country has added since. */
const EVE_AS_TYPED = '5547988211984';
const jid = (number: string): string => `${number}@s.whatsapp.net`;

describe('what WhatsApp answers to a look-up', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    for (const [number, name] of [
      [CHLOE, 'Chloe'],
      [DAVE, 'Dave'],
      [EVE, 'Eve'],
    ] as const) {
      await room.client.addPhone(number, name);
    }
    await room.pairByQr();
    // Bob is known from here on.
    await room.send('hello');
  });
  afterEach(() => room.client.clearFaults());
  afterAll(() => room.stop());

  const outcomeOf = async (to: string) => (await room.send('a text', undefined, to)).outcome;

  it('names a group that does not exist, and one that the account is not in', async () => {
    const { id } = await room.client.addGroup(BOB, 'without us', [CHLOE]);

    const unknown = await outcomeOf('120363000000000000@g.us');
    const foreign = await outcomeOf(id);

    expect(unknown).toEqual({ outcome: 'look_up_refused', lookUp: 'group', code: 404 });
    expect(foreign).toEqual({ outcome: 'look_up_refused', lookUp: 'group', code: 403 });
  });

  it('goes on with a group that the account is in', async () => {
    const { id } = await room.client.addGroup(BOB, 'with us', [ANN, CHLOE]);

    expect(await outcomeOf(id)).toMatchObject({ outcome: 'acknowledged' });
  });

  it.each([400, 401, 403, 404, 406, 463])('ends a message to somebody new with the number %i', async (code) => {
    await room.client.fault({ kind: 'iq_error', number: ANN, xmlns: 'usync', code });

    expect(await outcomeOf(jid(DAVE))).toEqual({ outcome: 'look_up_refused', lookUp: 'account', code });
  });

  it.each([429, 408, 500, 503])('lets a message to somebody new wait at the number %i', async (code) => {
    await room.client.fault({ kind: 'iq_error', number: ANN, xmlns: 'usync', code });

    expect(await outcomeOf(jid(DAVE))).toEqual({ outcome: 'look_up_unanswered', lookUp: 'account', code });
  });

  it.each([
    ['a person', jid(DAVE), '…0004'],
    ['a group', '120363000000012345@g.us', '…2345'],
  ])(
    'that ends or delays a message is a line of the log that names no more than the end of %s',
    async (_who, to, end) => {
      await room.client.fault({ kind: 'iq_error', number: ANN, xmlns: 'usync', code: 429 });

      await outcomeOf(to);

      expect(room.logged('send not acknowledged').at(-1)).toMatchObject({ level: 'warn', to: end });
    },
  );

  it('tells of keys that are refused, limited or not given', async () => {
    await room.client.fault({ kind: 'iq_error', number: ANN, xmlns: 'encrypt', code: 429 });
    const limited = await outcomeOf(jid(DAVE));
    await room.client.clearFaults();
    await room.client.fault({ kind: 'iq_error', number: ANN, xmlns: 'encrypt', code: 406 });
    const refused = await outcomeOf(jid(DAVE));
    await room.client.clearFaults();
    await room.client.fault({ kind: 'iq_hang', number: ANN, xmlns: 'encrypt' });
    const silent = await outcomeOf(jid(DAVE));

    expect(limited).toEqual({ outcome: 'look_up_unanswered', lookUp: 'keys', code: 429 });
    expect(refused).toEqual({ outcome: 'look_up_refused', lookUp: 'keys', code: 406 });
    expect(silent).toEqual({ outcome: 'look_up_unanswered', lookUp: 'keys' });
  });

  it('costs nothing to those who are known: neither a limit nor silence holds a message to them', async () => {
    await room.client.fault({ kind: 'iq_error', number: ANN, xmlns: 'usync', code: 429 });
    await room.client.fault({ kind: 'iq_hang', number: ANN, xmlns: 'encrypt' });

    expect([...((await room.socket?.lookUpsFor(BOB_JID)) ?? [])]).toEqual([]);
    expect(await outcomeOf(BOB_JID)).toMatchObject({ outcome: 'acknowledged' });
  });

  it('tells before a send what it needs', async () => {
    expect([...((await room.socket?.lookUpsFor(jid('4915100000099'))) ?? [])]).toEqual(['account', 'devices', 'keys']);
    expect([...((await room.socket?.lookUpsFor('120363000000000000@g.us')) ?? [])]).toEqual(['group']);
  });

  it('sends nothing to somebody whose devices it does not tell', async () => {
    const lid = '99999999@lid';

    expect(await outcomeOf(lid)).toEqual({ outcome: 'no_account' });
  });

  it('names the account that is sent to, where it is another than the number that was asked for', async () => {
    await room.client.fault({ kind: 'other_number', asked: EVE_AS_TYPED, account: EVE });
    const resolved: string[] = [];
    const stanzaId = makeStanzaId(systemRandom);

    const outcome = await room.socket?.send({
      stanzaId,
      to: jid(EVE_AS_TYPED),
      content: someContent('to Eve'),
      resolved: async (address) => void resolved.push(address),
    });
    const shown = await until(
      'the text at Eve',
      () => room.client.messages(EVE),
      (messages) => messages.length > 0,
    );

    expect(outcome).toMatchObject({ outcome: 'acknowledged' });
    expect(outcome?.outcome === 'acknowledged' ? outcome.toAlias : '').toMatch(/@lid$/);
    expect(resolved).toEqual([jid(EVE)]);
    expect(shown.map(({ text }) => text)).toEqual(['to Eve']);
    expect(await room.socket?.chatOf(jid(EVE_AS_TYPED))).toBe(await room.socket?.chatOf(jid(EVE)));
  });

  it('knows a message to oneself, by number and by LID', async () => {
    const number = await outcomeOf(jid(ANN));
    const lid = number?.outcome === 'acknowledged' ? (number.toAlias ?? '') : '';

    expect(number).toMatchObject({ outcome: 'acknowledged', toSelf: true });
    expect(await outcomeOf(lid)).toMatchObject({ outcome: 'acknowledged', toSelf: true });
    expect(await outcomeOf(BOB_JID)).not.toHaveProperty('toSelf');
  });

  it.each([400, 429, 463, 500])('keeps the number of a refusal in the ack: %i', async (code) => {
    await room.client.fault({ kind: 'nack', number: ANN, code, times: 1 });

    expect(await outcomeOf(BOB_JID)).toEqual({ outcome: 'refused', code });
  });
});
