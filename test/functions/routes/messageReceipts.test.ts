import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noteReceipt, toMemberReceipts } from '../../../shared/message/memberReceipts.ts';
import type { SentMessage } from '../../../shared/message/message.ts';
import { receiptsKey } from '../../../shared/platform/keys.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { aSentMessage } from '../../shared/event/eventStores.ts';
import { anAccount, ApiStack } from '../api/apiStack.ts';

const DAY_MS = 86_400_000;
const ADA = '904915111111111@lid';

describe('how far a sent message came, over the API', () => {
  let stack: ApiStack;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  beforeAll(async () => {
    stack = await ApiStack.start();
    tenant = await stack.tenant();
  });
  afterAll(() => stack.stop());

  const aMessage = async (overrides: Partial<SentMessage>): Promise<SentMessage> => {
    const connectionId = await stack.connection(tenant, anAccount);
    const ids = { tenantId: tenant.tenantId, connectionId };
    const message = aSentMessage(ids, { createdAtMs: Date.now() - 2 * DAY_MS, state: 'sent', ...overrides });
    await stack.dependencies.messages.create(message, 0);
    return message;
  };
  const get = ({ connectionId, messageId }: SentMessage, rest = '', key = tenant.key) =>
    stack.call('GET', `/v1/connections/${connectionId}/messages/${messageId}${rest}`, { key });

  it('lists the members of a group, counted', async () => {
    const message = await aMessage({ to: '120363000000000001@g.us', members: 3 });
    const before = await get(message, '/receipts');
    const receipt = { recipient: ADA, state: 'read', atMs: message.createdAtMs + 5_000 } as const;
    const receipts = noteReceipt(toMemberReceipts(undefined), receipt, message.createdAtMs);
    const { table, stage } = stack.dependencies;
    const Item = { ...receiptsKey(message.connectionId, message.messageId), ...receipts, version: 1 };
    await table.send(new PutCommand({ TableName: tableName(stage, 'core'), Item }));

    const after = await get(message, '/receipts');

    const readAt = new Date(message.createdAtMs + 5_000).toISOString();
    expect(before.body).toEqual({ members: { total: 3, delivered: 0, read: 0, played: 0 }, data: [] });
    expect(after.body).toEqual({
      members: { total: 3, delivered: 1, read: 1, played: 0 },
      data: [{ recipient: { id: ADA, lid: ADA }, deliveredAt: readAt, readAt }],
    });
  });

  it('shows a person alone, and nothing of others or of what is not there', async () => {
    const deliveredAtMs = Date.now();
    const message = await aMessage({ state: 'delivered', deliveredAtMs });
    const stranger = await stack.tenant();

    const own = await get(message, '/receipts');
    const foreign = await get(message, '/receipts', stranger.key);

    expect(own.body).toEqual({
      data: [
        {
          recipient: { id: message.to, phoneNumber: '+4915123456789' },
          deliveredAt: new Date(deliveredAtMs).toISOString(),
        },
      ],
    });
    expect(foreign.status).toBe(404);
    expect((await get({ ...message, messageId: `${message.messageId}x` as never }, '/receipts')).status).toBe(404);
  });

  it('says of a message what stays away for too long', async () => {
    const [sending, sent, delivered] = [
      await aMessage({ state: 'sending' }),
      await aMessage({ state: 'sent', sentAtMs: Date.now() - 2 * DAY_MS }),
      await aMessage({ state: 'delivered', deliveredAtMs: Date.now() }),
    ];

    const late = await Promise.all(
      [sending, sent, delivered].map(async (message) => (await get(message)).body['late']),
    );

    expect(late).toEqual(['not_acknowledged', 'not_delivered', undefined]);
  });
});
