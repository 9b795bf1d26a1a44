import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anAccount, ApiStack } from '../api/apiStack.ts';

const body = { to: '+49 151 00000002', type: 'text', text: { body: 'hello' } };

describe('cancelling a message over the API', () => {
  let stack: ApiStack;
  beforeAll(async () => {
    stack = await ApiStack.start();
  });
  afterAll(() => stack.stop());

  it('answers 200 as often as it is asked, tells the owner, and 404 for others and for what is not there', async () => {
    const tenant = await stack.tenant();
    const stranger = await stack.tenant();
    const id = await stack.connection(tenant, anAccount);
    const sent = await stack.call('POST', `/v1/connections/${id}/messages`, { key: tenant.key, body });
    await stack.takeCommands();
    const path = `/v1/connections/${id}/messages/${String(sent.body['id'])}`;

    const foreign = await stack.call('DELETE', path, { key: stranger.key });
    const first = await stack.call('DELETE', path, { key: tenant.key });
    const second = await stack.call('DELETE', path, { key: tenant.key });
    const read = await stack.call('GET', path, { key: tenant.key });
    const missing = await stack.call('DELETE', `${path.slice(0, -1)}${path.endsWith('0') ? '1' : '0'}`, {
      key: tenant.key,
    });
    const commands = await stack.takeCommands();

    expect([foreign.status, first.status, second.status, missing.status]).toEqual([404, 200, 200, 404]);
    expect([first.body['status'], second.body['status'], read.body['status']]).toEqual([
      'cancelled',
      'cancelled',
      'cancelled',
    ]);
    expect(commands).toMatchObject([{ kind: 'send_message', messageId: sent.body['id'] }]);
  });
});
