import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectionId, MessageId } from '../../../shared/kernel/id.ts';
import { messageKey } from '../../../shared/platform/keys.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { requests } from '../../shared/message/requests.ts';
import { anAccount, ApiStack } from './apiStack.ts';

const TO = '+49 151 00000002';
const JID = '4915100000002@s.whatsapp.net';

describe('a send that answers, mentions and disappears', () => {
  let stack: ApiStack;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  let connection = '';
  beforeAll(async () => {
    stack = await ApiStack.start();
    tenant = await stack.tenant();
    connection = await stack.connection(tenant, anAccount);
  });
  afterAll(() => stack.stop());
  const send = (body: object, key?: string, to = connection) =>
    stack.call('POST', `/v1/connections/${to}/messages`, {
      key: tenant.key,
      body: { to: TO, ...body },
      ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
    });
  const text = { type: 'text', text: { body: 'hello' } };

  it('shows what it answers, whom it mentions, how long it stays, and what it brings back', async () => {
    const first = await send(text);

    const second = await send({
      ...requests['a quiz'],
      context: { message_id: first.body['id'] },
      mentions: [TO],
      expires_in: 604_800,
      biz_opaque_callback_data: 'order 7',
    });
    const path = `/v1/connections/${connection}/messages/${String(second.body['id'])}`;
    const read = await stack.call('GET', path, { key: tenant.key });

    expect(second.status).toBe(202);
    expect(read.body).toEqual(second.body);
    expect(read.body).toMatchObject({
      content: requests['a quiz'],
      context: {
        replyTo: { messageId: first.body['id'], stanzaId: first.body['stanzaId'] },
        mentions: [{ id: JID }],
        expiresIn: 604_800,
      },
      callbackData: 'order 7',
    });
  });

  it('is another request with another context, under the same key', async () => {
    const first = await send(text);
    const context = { message_id: first.body['id'] };

    const answers = [
      await send({ ...text, context }, 'answer'),
      await send({ ...text, context }, 'answer'),
      await send(text, 'answer'),
      await send({ ...text, context, expires_in: 86_400 }, 'answer'),
    ];

    expect(answers.map(({ status }) => status)).toEqual([202, 202, 409, 409]);
    expect(answers[1]?.body).toEqual(answers[0]?.body);
  });

  it('answers no message of another connection, and says so at the field', async () => {
    const other = await stack.connection(tenant, anAccount);
    const first = await send(text, undefined, other);

    const answer = await send({ ...text, context: { message_id: first.body['id'] } });

    expect(answer).toMatchObject({
      status: 404,
      body: { code: 'message_not_found', fields: [{ field: 'context.message_id' }] },
    });
  });

  it('gives a repeated request its answer, also when what it answers is kept no more', async () => {
    const first = await send(text);
    const request = { ...text, context: { message_id: first.body['id'] } };
    const accepted = await send(request, 'late');
    await stack.dependencies.table.send(
      new DeleteCommand({
        TableName: tableName('test', 'core'),
        Key: messageKey(connection as ConnectionId, first.body['id'] as MessageId),
      }),
    );

    expect(await send(request, 'late')).toMatchObject({ status: 202, body: { id: accepted.body['id'] } });
    expect(await send(request, 'later')).toMatchObject({ status: 404 });
  });
});
