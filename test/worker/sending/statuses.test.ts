import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STATUS } from '../../../shared/kernel/jid.ts';
import { ScheduledMessages } from '../../../shared/message/scheduledMessages.ts';
import { expiryOf } from '../../../shared/platform/expiry.ts';
import { messageKey, receiptsKey } from '../../../shared/platform/keys.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { until } from '../../whatsapp/until.ts';
import { anOutbox, sequence, startCore, type Core } from './fakes.ts';

const ANN = '4915100000002@s.whatsapp.net';
const inPart = { outcome: 'audience_in_part' } as const;

describe('a status among other messages', () => {
  let core: Core;
  beforeAll(async () => {
    core = await startCore();
  });
  afterAll(() => core.stop());

  it('lets them go first between the steps in which its audience is looked up, and is in order among statuses', async () => {
    const connection = await core.aConnection();
    const [first, second] = [
      await core.aMessage(connection, 'first', { to: STATUS }),
      await core.aMessage(connection, 'second', { to: STATUS }),
    ];
    const toAnn = await core.aMessage(connection, 'to Ann', { to: ANN });
    const { outbox, socket } = anOutbox(core, connection);
    const held = Promise.withResolvers<typeof inPart>();
    socket.answers.push(inPart, held.promise);

    await outbox.handle(first.messageId, sequence(1), Date.now());
    const others = [second, toAnn].map(({ messageId }, index) =>
      outbox.handle(messageId, sequence(index + 2), Date.now()),
    );
    await until(
      'the second step',
      () => socket.sent.length,
      (count) => count === 2,
    );
    held.resolve(inPart);
    await Promise.all(others);
    await until(
      'both statuses',
      () => socket.texts(),
      (texts) => texts.at(-1) === 'second',
    );

    expect(socket.texts()).toEqual(['first', 'first', 'to Ann', 'first', 'second']);
    await outbox.finish();
    // Looking people up is no try of the message.
    expect(await core.messages.find(connection.connectionId, first.messageId)).toMatchObject({ attempts: 1 });
  });

  it('fails where nobody it is for has an account, and says so', async () => {
    const connection = await core.aConnection();
    const message = await core.aMessage(connection, 'for nobody', { to: STATUS });
    const { outbox, socket, publisher } = anOutbox(core, connection);
    socket.answers.push({ outcome: 'no_viewers' });

    await outbox.handle(message.messageId, sequence(1), Date.now());

    expect(publisher.results()).toEqual(['failed/status_has_no_viewers']);
    expect(await core.stateOf(connection.connectionId, message.messageId)).toBe('failed/status_has_no_viewers');
  });

  it('is kept, with its audience, for as long after the time to which it is moved', async () => {
    const connection = await core.aConnection();
    const [soonMs, laterMs] = [Date.now() + 60_000, Date.now() + 300 * 86_400_000];
    const message = await core.aMessage(connection, 'later', {
      to: STATUS,
      audience: [ANN],
      state: 'scheduled',
      notBeforeMs: soonMs,
    });
    const { connectionId, messageId } = message;
    const keys = [messageKey(connectionId, messageId), receiptsKey(connectionId, messageId)];
    const kept = async (): Promise<readonly unknown[]> => {
      const rows = keys.map((Key) => core.table.send(new GetCommand({ TableName: tableName('test', 'core'), Key })));
      return (await Promise.all(rows)).map(({ Item }) => Item?.['ttl']);
    };
    const before = await kept();

    const scheduled = new ScheduledMessages({ table: core.table, stage: 'test' });
    const times = { notBeforeMs: laterMs, expiresAtMs: undefined };
    expect(await scheduled.move({ ...message, notBeforeMs: soonMs }, 0, times)).toBe('moved');

    const [sooner, later] = [expiryOf('message', soonMs), expiryOf('message', laterMs)];
    expect([before, await kept()]).toEqual([
      [sooner, sooner],
      [later, later],
    ]);
  });

  it('has an audience that is settled once, whichever owner comes first, and is that of what is said about it', async () => {
    const connection = await core.aConnection();
    const { connectionId } = connection;
    const message = await core.aMessage(connection, 'for two', { to: STATUS, audience: [ANN, '222@lid'] });
    const { audiences } = core.messages;
    const before = await audiences.find(connectionId, message.messageId);
    const [ours, theirs] = [[{ asked: ANN, phoneJid: ANN, lid: '222@lid' }], [{ asked: ANN, phoneJid: ANN }]];

    const settled = await audiences.settle(connectionId, message.messageId, ours, Date.now());
    const again = await audiences.settle(connectionId, message.messageId, theirs, Date.now());

    expect(before).toMatchObject({ isSettled: false, viewers: [{ asked: ANN }, { asked: '222@lid' }] });
    expect([settled, again]).toEqual([ours, ours]);
    const revoke = await core.aMessage(connection, 'revoke', {
      to: STATUS,
      original: { messageId: message.messageId, stanzaId: message.stanzaId, type: 'text' },
    });
    const { outbox, socket } = anOutbox(core, connection);
    await outbox.handle(revoke.messageId, sequence(1), Date.now());
    const audience = socket.sent[0]?.audience;
    expect(await audience?.find()).toEqual({ viewers: ours, isSettled: false });
    await audience?.settle(ours);
    expect(await audiences.find(connectionId, revoke.messageId)).toEqual({ viewers: ours, isSettled: true });
  });
});
