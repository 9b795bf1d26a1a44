import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TenantId } from '../../../shared/kernel/id.ts';
import { createTenant } from '../../../shared/tenant/tenant.ts';
import { toEndpointView, wants } from '../../../shared/webhook/endpoint.ts';
import { EndpointStore } from '../../../shared/webhook/endpointStore.ts';
import { startEventStores, type EventStores } from '../event/eventStores.ts';
import { GONE } from './disablings.ts';

describe('endpoint store', () => {
  let stores: EventStores;
  let endpoints: EndpointStore;
  beforeAll(async () => {
    stores = await startEventStores();
    endpoints = new EndpointStore(stores);
  });
  afterAll(() => stores.stop());

  const url = 'https://hooks.example/holdfast';
  const open = { refusalOf: () => Promise.resolve(undefined) };
  const aTenant = async (): Promise<TenantId> => (await createTenant(stores, 'Acme')).tenantId;

  it('keeps an endpoint with a secret of 32 bytes that no print shows', async () => {
    const tenantId = await aTenant();

    const made = await endpoints.create(open, tenantId, { url, events: ['message.received'] });
    const found = await endpoints.find(tenantId, made.endpointId);

    expect(found?.secret.reveal()).toBe(made.secret.reveal());
    expect(made.secret.reveal()).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(JSON.stringify(made)).not.toContain('whsec_');
    expect(toEndpointView(made, 0)).toEqual({
      id: made.endpointId,
      url,
      events: ['message.received'],
      order: 'fast',
      state: 'active',
      breaker: { state: 'closed', failures: 0 },
      createdAt: '2026-08-01T12:00:00.000Z',
    });
  });

  it('does not find, list or delete the endpoint of another tenant', async () => {
    const [mine, other] = [await aTenant(), await aTenant()];
    const { endpointId } = await endpoints.create(open, other, { url });

    expect(await endpoints.find(mine, endpointId)).toBeUndefined();
    expect(await endpoints.list(mine)).toEqual([]);
    expect(await endpoints.delete(mine, endpointId)).toBe('missing');
    expect(await endpoints.list(other)).toHaveLength(1);
  });

  it('refuses a URL with the sentence that says why', async () => {
    const tenantId = await aTenant();
    const closed = { refusalOf: () => Promise.resolve('does_not_resolve' as const) };

    const refused = endpoints.create(closed, tenantId, { url });

    await expect(refused).rejects.toMatchObject({
      code: 'webhook_url_not_allowed',
      detail: 'The host name of the URL does not resolve. Check its spelling and its DNS records.',
    });
    expect(await endpoints.list(tenantId)).toEqual([]);
  });

  it('keeps ten of a tenant, also when more are made at once, and has room again when one is deleted', async () => {
    const tenantId = await aTenant();

    const made = await Promise.allSettled(Array.from({ length: 12 }, () => endpoints.create(open, tenantId, { url })));
    const refused = made.filter(({ status }) => status === 'rejected');
    const listed = await endpoints.list(tenantId);

    expect(listed.length).toBeLessThanOrEqual(10);
    expect(listed.length + refused.length).toBe(12);
    while ((await endpoints.list(tenantId)).length < 10) await endpoints.create(open, tenantId, { url });
    await expect(endpoints.create(open, tenantId, { url })).rejects.toMatchObject({ code: 'quota_exceeded' });
    const [first] = await endpoints.list(tenantId);
    expect(first && (await endpoints.delete(tenantId, first.endpointId))).toBe('deleted');
    expect(first && (await endpoints.delete(tenantId, first.endpointId))).toBe('missing');
    await endpoints.create(open, tenantId, { url });
    expect(await endpoints.list(tenantId)).toHaveLength(10);
  });

  it('asks to try again when two changes of one tenant meet', async () => {
    const conflict = new TransactionCanceledException({
      message: 'conflict',
      $metadata: {},
      CancellationReasons: [{ Code: 'TransactionConflict' }, { Code: 'None' }],
    });
    const table = mockClient(DynamoDBDocumentClient.from(stores.table)).on(TransactWriteCommand).rejects(conflict);
    const busy = new EndpointStore({ ...stores, table: table as unknown as typeof stores.table });

    const refused = busy.create(open, await aTenant(), { url });

    await expect(refused).rejects.toMatchObject({ code: 'store_unavailable', retryAfterSeconds: 1 });
  });

  it('delivers nothing to an endpoint that is disabled', async () => {
    const tenantId = await aTenant();
    const { endpointId } = await endpoints.create(open, tenantId, { url });

    const outcome = await endpoints.disable(tenantId, endpointId, GONE);

    const found = await endpoints.find(tenantId, endpointId);
    expect(outcome).toBe('disabled');
    expect(found && wants(found, { type: 'message.received', connectionId: 'con', chat: undefined })).toBe(false);
  });

  it('does not bring back an endpoint by disabling it', async () => {
    const tenantId = await aTenant();
    const { endpointId } = await endpoints.create(open, tenantId, { url });
    await endpoints.delete(tenantId, endpointId);

    expect(await endpoints.disable(tenantId, endpointId, GONE)).toBe('not_now');
    expect(await endpoints.list(tenantId)).toEqual([]);
  });

  it.each([
    [{}, true],
    [{ events: ['message.received', 'message.echo'] }, true],
    [{ events: ['message.status'] }, false],
    [{ connectionIds: ['con_1'] }, true],
    [{ connectionIds: ['con_2'] }, false],
    [{ chatKinds: ['groups', 'people'] }, true],
    [{ chatKinds: ['people'] }, false],
    [{ events: ['message.received'], connectionIds: ['con_1'], chatKinds: ['people'] }, false],
  ] as const)('with %j wants a message in a group of con_1: %s', (choice, wanted) => {
    const everything = { events: undefined, connectionIds: undefined, chatKinds: undefined, headers: undefined };
    const parts = { type: 'message.received', connectionId: 'con_1', chat: '1-2@g.us' } as const;

    expect(wants({ ...everything, ...choice, state: 'active' }, parts)).toBe(wanted);
  });

  it('is told that another webhook is disabled, whatever connections and chats it names', () => {
    const choice = { events: undefined, connectionIds: ['con_2'], chatKinds: ['people'], headers: undefined } as const;
    const parts = { type: 'webhook.disabled', connectionId: 'con_1', chat: undefined } as const;

    expect(wants({ ...choice, state: 'active' }, parts)).toBe(true);
    expect(wants({ ...choice, state: 'active', events: ['message.received'] }, parts)).toBe(false);
  });

  it('wants no event about no chat where it names kinds of chats', () => {
    const choice = { events: undefined, connectionIds: undefined, chatKinds: ['people'], headers: undefined } as const;

    expect(
      wants({ ...choice, state: 'active' }, { type: 'connection.status', connectionId: 'c', chat: undefined }),
    ).toBe(false);
  });
});
