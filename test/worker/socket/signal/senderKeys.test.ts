import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { proto } from '@whiskeysockets/baileys';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isKeyForItsGroup } from '../../../../worker/socket/signal/senderKeyRule.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, SocketRoom } from '../socketRoom.ts';

const GROUP = '120363000000000001@g.us';
const DAY_SECONDS = 86_400;

describe('which sender keys are kept', () => {
  it.each<readonly [group: string, from: string | undefined, isKept: boolean]>([
    [GROUP, GROUP, true],
    ['4915100000001-1500000000@g.us', '4915100000001-1500000000@g.us', true],
    ['status@broadcast', 'status@broadcast', true],
    ['12345@broadcast', '12345@broadcast', true],
    [GROUP, '120363000000000002@g.us', false],
    [GROUP, '222@lid', false],
    [GROUP, 'status@broadcast', false],
    [GROUP, undefined, false],
    ['222@lid', '222@lid', false],
    [`${'1'.repeat(1_200)}@g.us`, `${'1'.repeat(1_200)}@g.us`, false],
    ['', '', false],
  ])('%s from %s: %s', (group, from, isKept) => {
    expect(isKeyForItsGroup(group, from)).toBe(isKept);
  });
});

describe('sender keys in the store', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.stop());

  async function senderKeyItems(): Promise<readonly Record<string, unknown>[]> {
    await (await room.session()).flush();
    const { tenantId, connectionId } = room.connection;
    const { Items = [] } = await room.store().send(
      new QueryCommand({
        TableName: 'test-sessions',
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': `SESSION#${tenantId}#${connectionId}` },
      }),
    );
    return Items.filter(({ sk }) => String(sk).includes('SENDERKEY#'));
  }
  const read = (text: string) =>
    until(
      text,
      () => room.texts(),
      (texts) => texts.includes(text),
    );
  const aKeyFor = async (groupId: string): Promise<string> => {
    const key = await room.whatsApp.world.accounts.get(BOB)?.phone.senderKey(groupId);
    const message = {
      conversation: `with a key for ${groupId}`,
      senderKeyDistributionMessage: { groupId, axolotlSenderKeyDistributionMessage: key ?? null },
    };
    return Buffer.from(proto.Message.encode(message).finish()).toString('base64');
  };

  it('are those of groups that were written to; 200 for groups that do not exist leave nothing', async () => {
    const { id: group } = await room.client.addGroup(BOB, 'Club', [ANN]);
    await room.client.write(BOB, group, 'in the club');
    await read('in the club');
    for (let index = 0; index < 200; index += 1) {
      await room.client.raw(BOB, { to: ANN, plaintext: await aKeyFor(`12036300000000${1_000 + index}@g.us`) });
    }
    await room.client.raw(BOB, { to: ANN, plaintext: await aKeyFor(group) });
    await room.client.raw(BOB, { to: group, plaintext: await aKeyFor(`120363999999999999@g.us`) });
    await room.client.write(BOB, group, 'in the club again');
    await read('in the club again');
    await room.socket?.close('end');

    const items = await senderKeyItems();
    expect(room.texts().filter((text) => text.startsWith('with a key'))).toHaveLength(202);
    expect(items).toHaveLength(1);
    expect(String(items[0]?.['sk'])).toContain(group);
  });

  it('go by themselves 90 days after their last use, and who has ours is forgotten before', async () => {
    const { id: group } = await room.client.addGroup(BOB, 'Club', [ANN]);
    await room.client.write(BOB, group, 'in the club');
    await read('in the club');
    await room.send('our own', undefined, group);
    await room.socket?.close('end');

    const { tenantId, connectionId } = room.connection;
    const { Items = [] } = await room.store().send(
      new QueryCommand({
        TableName: 'test-sessions',
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': `SESSION#${tenantId}#${connectionId}` },
      }),
    );
    const daysOf = (name: string): readonly number[] =>
      Items.filter(({ sk }) => String(sk).includes(name)).map(({ ttl }) =>
        Math.round((Number(ttl) - Date.now() / 1_000) / DAY_SECONDS),
      );
    expect(daysOf('SENDERKEY#')).toEqual([90, 90]);
    expect(daysOf('SENDERKEYMEMORY#')).toEqual([60]);
    expect(daysOf('SIGNAL#').every(Number.isNaN)).toBe(true);
  });

  it('are not taken from what nobody sealed', async () => {
    const key = await aKeyFor(GROUP);
    const stanza = {
      tag: 'message',
      attrs: { id: 'UNSEALED', type: 'text' },
      content: [{ tag: 'plaintext', content: { base64: key } }],
    };
    await room.client.stanza(BOB, { to: ANN, stanza });
    await room.client.write(BOB, ANN, 'after it');
    await read('after it');
    await room.socket?.close('end');

    expect(await senderKeyItems()).toEqual([]);
  });
});
