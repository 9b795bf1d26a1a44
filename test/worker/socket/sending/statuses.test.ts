import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeStanzaId, type StanzaId } from '../../../../shared/kernel/id.ts';
import { STATUS } from '../../../../shared/kernel/jid.ts';
import { systemRandom } from '../../../../shared/kernel/random.ts';
import { namedViewer, type Viewer } from '../../../../shared/message/audience.ts';
import type { KeptAudience } from '../../../../worker/socket/port/connectionSocket.ts';
import { someContent } from '../../../shared/content/someContent.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, BOB_JID, SocketRoom } from '../socketRoom.ts';

silenceConsole();

const CHLOE = '4915100000003';
const DAVE = '4915100000004';
const FAY = '4915100000006';
const EVE = '554788211984';
/** The same account, written with the digit that its country has added since. */
const EVE_AS_TYPED = '5547988211984';
const jid = (number: string): string => `${number}@s.whatsapp.net`;
const noAccounts = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => jid(`49160${1_000_000 + index}`));

/** The audience of a status as a row keeps it: it is settled once. */
function anAudience(addresses: readonly string[]): KeptAudience & { readonly settled: () => readonly Viewer[] } {
  let viewers: readonly Viewer[] = addresses.map(namedViewer);
  let isSettled = false;
  return {
    settled: () => (isSettled ? viewers : []),
    find: async () => ({ viewers, isSettled }),
    settle: async (found) => {
      if (!isSettled) [viewers, isSettled] = [found, true];
      return viewers;
    },
  };
}

describe('a status on its socket', () => {
  let room: SocketRoom;
  const lids = new Map<string, string>();
  beforeAll(async () => {
    room = await SocketRoom.start();
    for (const [number, name] of [
      [CHLOE, 'Chloe'],
      [DAVE, 'Dave'],
      [EVE, 'Eve'],
      [FAY, 'Fay'],
    ] as const) {
      await room.client.addPhone(number, name);
    }
    await room.pairByQr();
    for (const { number, lid } of await room.client.phones()) lids.set(number, lid);
  });
  afterEach(() => room.client.clearFaults());
  afterAll(() => room.stop());

  const tryOnce = (text: string, audience: KeptAudience, stanzaId: StanzaId) => {
    const triedBefore = room.sent.has(stanzaId);
    return room.socket?.send({ stanzaId, to: STATUS, content: someContent(text), audience, triedBefore });
  };
  /** Tries until it is done with the look-ups. Gives the number of steps that they took, with the outcome. */
  const post = async (text: string, addresses: readonly string[]) => {
    const audience = anAudience(addresses);
    const stanzaId = makeStanzaId(systemRandom);
    let outcome = await tryOnce(text, audience, stanzaId);
    let steps = 0;
    for (; outcome?.outcome === 'audience_in_part' && steps < 100; steps += 1) {
      outcome = await tryOnce(text, audience, stanzaId);
    }
    const viewers = new Set(audience.settled().flatMap(({ lid, phoneJid }) => [lid ?? '', phoneJid ?? '']));
    room.sent.set(stanzaId, { content: someContent(text), to: STATUS, atMs: Date.now(), viewers });
    return { outcome, steps, stanzaId, settled: audience.settled() };
  };
  const statusesAt = async (number: string) =>
    (await room.client.messages(number)).filter(({ chat }) => chat === STATUS).map(({ text }) => text);
  const shows = (number: string, text: string) =>
    until(
      `${text} at ${number}`,
      () => statusesAt(number),
      (texts) => texts.includes(text),
    );
  const accountQueries = async (): Promise<number> => (await room.client.stats()).accountQueries[ANN] ?? 0;
  /** The ids of the sender keys that are kept for a chat, with how often each was used. */
  const keysFor = async (chat: string): Promise<readonly (readonly [id: number, uses: number])[]> => {
    const [user = ''] = (lids.get(ANN) ?? '').split('@');
    const name = `${chat}::${user}_1::1`;
    const { [name]: record } = await (await room.session()).getKeys('sender-key', [name]);
    const states = JSON.parse(Buffer.from(record as Uint8Array).toString()) as readonly {
      readonly senderKeyId: number;
      readonly senderChainKey: { readonly iteration: number };
    }[];
    return states.map(({ senderKeyId, senderChainKey }) => [senderKeyId, senderChainKey.iteration]);
  };

  it('goes to those who are named, once each under whichever names, and to nobody else', async () => {
    await room.client.fault({ kind: 'other_number', asked: EVE_AS_TYPED, account: EVE });
    const bobLid = lids.get(BOB) ?? '';

    const { outcome, settled } = await post('for three', [BOB_JID, jid(CHLOE), bobLid, jid(EVE_AS_TYPED), jid(ANN)]);

    expect(outcome).toMatchObject({ outcome: 'acknowledged', members: 3 });
    expect(settled).toEqual([
      { asked: BOB_JID, phoneJid: BOB_JID, lid: bobLid },
      { asked: jid(CHLOE), phoneJid: jid(CHLOE), lid: lids.get(CHLOE) },
      { asked: jid(EVE_AS_TYPED), phoneJid: jid(EVE), lid: lids.get(EVE) },
    ]);
    for (const number of [BOB, CHLOE, EVE, ANN]) await shows(number, 'for three');
    expect(await room.client.messages(DAVE)).toEqual([]);
  });

  it('is sealed with a key of its own, which nobody had before; a group keeps its key', async () => {
    const { id: group } = await room.client.addGroup(BOB, 'with us', [ANN, CHLOE]);

    await post('for Bob and Chloe', [BOB_JID, jid(CHLOE)]);
    const before = [await keysFor(STATUS), (await room.send('one', undefined, group)) && (await keysFor(group))];
    await post('for Bob', [BOB_JID]);
    const after = [await keysFor(STATUS), (await room.send('two', undefined, group)) && (await keysFor(group))];

    expect([before[0]?.map(([, uses]) => uses), after[0]?.map(([, uses]) => uses)]).toEqual([[1], [1]]);
    expect(after[0]?.[0]?.[0]).not.toBe(before[0]?.[0]?.[0]);
    expect(after[1]?.[0]?.[0]).toBe(before[1]?.[0]?.[0]);
    expect(await shows(BOB, 'for Bob')).toContain('for Bob and Chloe');
    expect(await statusesAt(CHLOE)).not.toContain('for Bob');
    expect((await room.client.stats()).reusedKeys).toBe(0);
  });

  it('asks for 50 numbers in a step, leaves out those without an account, and asks for nobody twice', async () => {
    const before = await accountQueries();

    const { outcome, steps, settled } = await post('for one of many', [...noAccounts(118), jid(DAVE), BOB_JID]);

    expect(outcome).toMatchObject({ outcome: 'acknowledged', members: 2 });
    expect((await accountQueries()) - before).toBe(3);
    expect(steps).toBe(4);
    expect(settled.filter(({ hasNoAccount }) => hasNoAccount === true)).toHaveLength(118);
    await shows(DAVE, 'for one of many');
  });

  it('fails where nobody has an account, and nothing leaves', async () => {
    const { outcome } = await post('for nobody', noAccounts(2));

    expect(outcome).toEqual({ outcome: 'no_viewers' });
    expect(await statusesAt(ANN)).not.toContain('for nobody');
  });

  it('waits while the look-up of its viewers is limited', async () => {
    await room.client.fault({ kind: 'iq_error', number: ANN, xmlns: 'usync', code: 429 });

    const { outcome } = await post('for somebody new', [jid('4917000000001')]);

    expect(outcome).toEqual({ outcome: 'look_up_unanswered', lookUp: 'account', code: 429 });
    expect([...((await room.socket?.lookUpsFor(STATUS)) ?? [])]).toEqual(['account', 'devices', 'keys']);
  });

  it('is no word with its viewers: each is as much a stranger as before', async () => {
    expect(await room.socket?.isFirstContact(jid(DAVE))).toBe(true);
    expect(await room.socket?.isFirstContact(STATUS)).toBe(false);
    expect(await room.socket?.chatOf(STATUS)).toBe(STATUS);
  });

  it('is sent again under its id to the same people, as it was first', async () => {
    const audience = anAudience([BOB_JID]);
    const stanzaId = makeStanzaId(systemRandom);
    await room.client.fault({ kind: 'drop_acks', number: ANN });
    let first = await tryOnce('once', audience, stanzaId);
    if (first?.outcome === 'audience_in_part') first = await tryOnce('once', audience, stanzaId);
    await room.client.clearFaults();
    room.sent.set(stanzaId, { content: someContent('once'), to: STATUS, atMs: Date.now() });

    const second = await tryOnce('something else', audience, stanzaId);

    expect(first).toEqual({ outcome: 'unknown' });
    expect(second).toMatchObject({ outcome: 'acknowledged', members: 1 });
    const shown = (await room.client.messages(BOB)).filter(({ id }) => id === stanzaId);
    expect(shown).toMatchObject([{ text: 'once', copies: 2, chat: STATUS }]);
  });

  it('is repeated among statuses, and not in the chat, for a viewer who could not read it', async () => {
    const [user = ''] = (lids.get(FAY) ?? '').split('@');
    await post('the first', [jid(FAY)]);
    const old = await (await room.session()).getKeys('session', [`${user}_1.0`]);
    await post('before', [jid(FAY)]);
    await room.socket?.close('end');
    // The next one uses a key that Fay has seen, as if an old backup had been put back.
    await (await room.session()).setKeys({ session: old });
    await room.login();

    const { stanzaId } = await post('read at the second time', [jid(FAY)]);

    await shows(FAY, 'read at the second time');
    const shown = (await room.client.messages(FAY)).map(({ id, chat }) => [id, chat]);
    expect(shown.filter(([id]) => id === stanzaId)).toEqual([[stanzaId, STATUS]]);
    expect(room.metrics.totalOf('RetryReceipts')).toBe(1);
  });
});
