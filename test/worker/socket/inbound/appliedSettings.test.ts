import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chatKinds, type ChatKind } from '../../../../shared/connection/chatKind.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, BOB_JID, SocketRoom } from '../socketRoom.ts';

silenceConsole();

const NEWSLETTER = '120363000000000001@newsletter';
const LIST = '4242@broadcast';
const DEADLINE_MS = 20_000;

describe('the settings of a connection, on a live socket', () => {
  let room: SocketRoom;
  let group = '';
  let written = 0;
  const loginsOf = async (): Promise<number> => (await room.client.stats()).logins[ANN]?.length ?? 0;
  const text = (): string => `a text of its own, number ${(written += 1)}`;
  const arrived = (wanted: string) =>
    until(
      wanted,
      () => room.texts(),
      (texts) => texts.includes(wanted),
      DEADLINE_MS,
    );
  const waiting = async (): Promise<number> => {
    const phones = await room.client.phones();
    return phones.find(({ number }) => number === ANN)?.devices[0]?.waiting ?? NaN;
  };
  const writeAs: Readonly<Record<ChatKind, (body: string) => Promise<string>>> = {
    people: (body) => room.client.write(BOB, ANN, body),
    statusUpdates: (body) => room.client.broadcast(BOB, [ANN], body),
    broadcasts: (body) => room.client.broadcast(BOB, [ANN], body, LIST),
    newsletters: (body) => room.client.post(ANN, NEWSLETTER, body),
    groups: (body) => room.client.write(BOB, group, body),
  };
  const chatOf: () => Readonly<Record<ChatKind, string>> = () => ({
    people: BOB_JID,
    statusUpdates: 'status@broadcast',
    broadcasts: LIST,
    newsletters: NEWSLETTER,
    groups: group,
  });

  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
    group = (await room.client.addGroup(BOB, 'Team', [ANN])).id;
  });
  beforeEach(() => {
    room.settings = {};
  });
  afterAll(() => room.stop());

  it.each(chatKinds)('delivers %s where nothing is said, with chat and sender', async (kind) => {
    const body = text();

    await writeAs[kind](body);
    await arrived(body);

    const fact = room.facts.find(
      (candidate) =>
        candidate.kind === 'message' && candidate.content.type === 'text' && candidate.content.text.body === body,
    );
    expect(fact).toMatchObject({ chat: chatOf()[kind], fromMe: false });
    const sender = fact?.kind === 'message' ? fact.sender : '';
    const isBob = sender === BOB_JID || sender.includes(BOB.split('').reverse().join(''));
    expect(sender === NEWSLETTER || isBob).toBe(true);
  });

  it.each(chatKinds)(
    'drops %s when they are not wanted: acknowledged, counted, and the session goes on',
    async (kind) => {
      const [before, unwanted, after] = [text(), text(), text()];
      const logins = await loginsOf();
      const counted = room.metrics.totalOf('MessagesFiltered', { kind });
      await writeAs[kind](before);
      await arrived(before);
      room.settings = { filters: { [kind]: 'drop' } };

      await writeAs[kind](unwanted);
      await until(
        'the count',
        () => room.metrics.totalOf('MessagesFiltered', { kind }) - counted,
        (count) => count === 1,
        DEADLINE_MS,
      );
      await until('the ack', waiting, (count) => count === 0, DEADLINE_MS);
      room.settings = {};
      await writeAs[kind](after);
      await arrived(after);

      expect(room.texts()).not.toContain(unwanted);
      expect(await loginsOf()).toBe(logins);
      expect((await room.client.stats()).retryRequests).toBe(0);
    },
  );

  it('leaves what people write alone when all else is filtered', async () => {
    room.settings = { filters: { statusUpdates: 'drop', newsletters: 'drop', broadcasts: 'drop', groups: 'drop' } };
    const body = text();

    await room.client.write(BOB, ANN, body);

    await arrived(body);
  });

  it('drops a type of content in every chat, and changes that on the socket that is open', async () => {
    const [unwanted, inGroup, after] = [text(), text(), text()];
    const logins = await loginsOf();
    const counted = room.metrics.totalOf('MessagesFiltered', { kind: 'types' });
    room.settings = { filters: { types: { text: 'drop' } } };

    const id = await room.client.write(BOB, ANN, unwanted);
    await room.client.write(BOB, group, inGroup);
    await until(
      'the count',
      () => room.metrics.totalOf('MessagesFiltered', { kind: 'types' }) - counted,
      (count) => count === 2,
      DEADLINE_MS,
    );
    await until(
      'the receipt',
      () => statusAtBob(id),
      (status) => status === 'delivered',
      DEADLINE_MS,
    );
    room.settings = { filters: { types: { unsupported: 'drop' } } };
    await room.client.write(BOB, ANN, after);
    await arrived(after);

    expect(room.texts()).not.toContain(unwanted);
    expect(room.texts()).not.toContain(inGroup);
    expect(await loginsOf()).toBe(logins);
  });

  it('adds what was dropped to the connection when the socket closes', async () => {
    room.filtered.length = 0;
    room.settings = { filters: { groups: 'drop' } };
    const counted = room.metrics.totalOf('MessagesFiltered', { kind: 'groups' });
    await room.client.write(BOB, group, text());
    await until(
      'the count',
      () => room.metrics.totalOf('MessagesFiltered', { kind: 'groups' }) - counted,
      (count) => count === 1,
      DEADLINE_MS,
    );

    await room.socket?.close('end');
    await room.login();

    expect(room.filtered.at(-1)?.get('groups')).toBeGreaterThanOrEqual(1);
  });

  const statusAtBob = async (id: string): Promise<string | undefined> =>
    (await room.client.messages(BOB)).find((entry) => entry.id === id)?.status;

  it('marks a message as read after it is published, and never before', async () => {
    room.settings = { readReceipts: 'automatic' };
    const gate = Promise.withResolvers<void>();
    let isPublishing = false;
    room.publish = async () => {
      isPublishing = true;
      await gate.promise;
    };
    const id = await room.client.write(BOB, ANN, text());
    await until(
      'the publish',
      () => isPublishing,
      (begun) => begun,
      DEADLINE_MS,
    );
    // The phone itself has read the message.
    await until(
      'delivery',
      () => statusAtBob(id),
      (status) => status !== 'sent',
      DEADLINE_MS,
    );
    const whileUnsafe = await statusAtBob(id);
    room.publish = async () => undefined;
    gate.resolve();

    await until(
      'the mark',
      () => statusAtBob(id),
      (status) => status === 'read',
      DEADLINE_MS,
    );

    expect(whileUnsafe).toBe('delivered');
  });

  it('marks what is written in a group as read too, and nothing while it is manual', async () => {
    const unmarked = await room.client.write(BOB, ANN, text());
    await until(
      'delivery',
      () => statusAtBob(unmarked),
      (status) => status === 'delivered',
      DEADLINE_MS,
    );
    room.settings = { readReceipts: 'automatic' };

    const marked = await room.client.write(BOB, group, text());

    await until(
      'the mark',
      () => statusAtBob(marked),
      (status) => status === 'read',
      DEADLINE_MS,
    );
    expect(await statusAtBob(unmarked)).toBe('delivered');
  });

  it('goes on when a message cannot be marked, and counts it', async () => {
    room.settings = { readReceipts: 'automatic' };
    await room.socket?.close('end');
    // What kind of mark to send is asked once, when the socket opens, and again as long as there is no answer.
    await room.client.fault({ kind: 'iq_error', xmlns: 'privacy', code: 500 });
    await room.login();
    const logins = await loginsOf();
    const lost = room.metrics.totalOf('ReadReceiptsLost');

    const unmarked = await room.client.write(BOB, ANN, text());
    await until(
      'the loss',
      () => room.metrics.totalOf('ReadReceiptsLost') - lost,
      (count) => count === 1,
      DEADLINE_MS,
    );
    await room.client.clearFaults();
    const marked = await room.client.write(BOB, ANN, text());

    await until(
      'the mark',
      () => statusAtBob(marked),
      (status) => status === 'read',
      DEADLINE_MS,
    );
    expect(await statusAtBob(unmarked)).toBe('delivered');
    expect(await loginsOf()).toBe(logins);
  });

  const callOf = async (id: string) => (await room.client.calls(BOB)).find((call) => call.id === id);
  const factOf = (id: string) => room.facts.find((fact) => fact.kind === 'call' && fact.callId === id);

  it('tells of a call and lets the phone ring where nothing is said', async () => {
    const id = await room.client.call(BOB, ANN, true);

    await until(
      'the fact',
      () => factOf(id),
      (fact) => fact !== undefined,
      DEADLINE_MS,
    );
    await until('the ack', waiting, (count) => count === 0, DEADLINE_MS);

    expect(factOf(id)).toMatchObject({ video: true, rejected: false, callerAlias: `${BOB}@s.whatsapp.net` });
    expect(await callOf(id)).toMatchObject({ state: 'ringing' });
  });

  it('refuses a call after it has told of it', async () => {
    room.settings = { calls: 'reject' };
    const done = room.metrics.totalOf('CallsRejected', { outcome: 'done' });

    const id = await room.client.call(BOB, ANN);

    await until(
      'the refusal',
      () => callOf(id),
      (call) => call?.state === 'rejected',
      DEADLINE_MS,
    );
    expect(factOf(id)).toMatchObject({ video: false, rejected: true });
    await until(
      'the count',
      () => room.metrics.totalOf('CallsRejected', { outcome: 'done' }),
      (count) => count === done + 1,
      DEADLINE_MS,
    );
  });
});
