import { mkdtempSync, writeFileSync, chmodSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { makeDocumentClient } from '../../../shared/platform/aws.ts';
import { adminConfig, workerConfig } from '../../../shared/platform/config.ts';
import { makeLocalKeyProvider } from '../../../shared/platform/keyProvider.ts';
import { makeLogger } from '../../../shared/platform/logger.ts';
import { queueDefinitions } from '../../../shared/platform/queues.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';

const stores = { HOLDFAST_STAGE: 'test', HOLDFAST_QUEUE_URL_BASE: 'http://127.0.0.1:1/000000000000/' };
const worker = { ...stores, HOLDFAST_TASK_ID: 'task-1', HOLDFAST_KEY_FILE: '/keys/root' };

describe('configuration', () => {
  it('has production defaults, and cannot be changed', () => {
    const config = workerConfig(worker);

    expect(config.ownership).toMatchObject({
      heartbeatMs: 5_000,
      fenceMs: 15_000,
      deathMs: 25_000,
      opensPerSecond: 25,
    });
    expect(config.connections).toMatchObject({
      connectTimeoutMs: 120_000,
      onlineQueryTimeoutMs: 15_000,
      keepAliveMs: 45_000,
    });
    expect(config.maxConnections).toBe(200);
    expect(Object.isFrozen(config) && Object.isFrozen(config.ownership)).toBe(true);
  });

  it.each<readonly [what: string, change: Record<string, string>, words: string]>([
    ['a setting that is missing', { HOLDFAST_STAGE: '' }, 'HOLDFAST_STAGE: '],
    ['a number that is none', { HOLDFAST_SHARD_COUNT: 'many' }, 'HOLDFAST_SHARD_COUNT: '],
    ['a setting that there is not', { HOLDFAST_HEARTBEET_MS: '5' }, 'HOLDFAST_HEARTBEET_MS: there is no such setting'],
    [
      'a misspelt audit name',
      { BAILEYS_RECONNECT_BASE_DELEY: '5' },
      'BAILEYS_RECONNECT_BASE_DELEY: there is no such setting',
    ],
    [
      'a heartbeat too slow for the fence',
      { HOLDFAST_HEARTBEAT_MS: '6000' },
      'HOLDFAST_HEARTBEAT_MS: must be at most a third of HOLDFAST_FENCE_MS (received "6000")',
    ],
    [
      'a fence too close to death',
      { HOLDFAST_FENCE_MS: '24000' },
      'HOLDFAST_FENCE_MS: must leave room before HOLDFAST_DEATH_MS',
    ],
    [
      'a drain that Fargate would cut',
      { HOLDFAST_DRAIN_TIMEOUT_MS: '115000' },
      'HOLDFAST_DRAIN_TIMEOUT_MS: must leave 10 s',
    ],
    [
      'two root keys',
      { HOLDFAST_KMS_KEY_ARN: 'arn:aws:kms:x' },
      'give exactly one of HOLDFAST_KMS_KEY_ARN and HOLDFAST_KEY_FILE',
    ],
    ['a root key of WhatsApp that is none', { WHATSAPP_ROOT_KEY: 'abc' }, 'WHATSAPP_ROOT_KEY: '],
    ['a WhatsApp address that is no WebSocket', { WHATSAPP_URL: 'https://web.whatsapp.com' }, 'WHATSAPP_URL: '],
  ])('names %s', (_what, change, words) => {
    expect(() => workerConfig({ ...worker, ...change })).toThrow(words);
  });

  it('names every wrong setting at once', () => {
    expect(() => adminConfig({ ...stores, HOLDFAST_STAGE: 'Prod', HOLDFAST_SHARD_COUNT: '0' })).toThrow(
      /HOLDFAST_STAGE[^]*HOLDFAST_SHARD_COUNT/,
    );
  });
});

describe('log', () => {
  const lines = (write: (log: ReturnType<typeof makeLogger>) => void): readonly Record<string, unknown>[] => {
    const written: string[] = [];
    write(makeLogger('test', 'debug', { write: (line) => written.push(line) }));
    return written.map((line) => JSON.parse(line) as Record<string, unknown>);
  };

  it('is one JSON object per line with a constant message', () => {
    const [line] = lines((log) => log.child({ shard: 3 }).info('shard claimed', { epoch: 7 }));

    expect(line).toMatchObject({ level: 'info', process: 'test', shard: 3, epoch: 7, message: 'shard claimed' });
  });

  it('drops every field that is not on the list, and says which', () => {
    const [line] = lines((log) => log.info('message', { text: 'private', qr: '2@…', messageId: 'msg_1' }));

    expect(line).toMatchObject({ messageId: 'msg_1', droppedFields: ['text', 'qr'] });
    expect(JSON.stringify(line)).not.toContain('private');
  });

  it('keeps of an error its name, message, stack and causes, and nothing that hangs on it', () => {
    const error = Object.assign(new Error('outer', { cause: new Error('inner') }), { request: { body: 'private' } });

    const [line] = lines((log) => log.error('failed', { error }));

    expect(line).toMatchObject({ error: { message: 'outer', cause: { message: 'inner' } } });
    expect(JSON.stringify(line)).not.toContain('private');
  });
});

describe('SDK clients', () => {
  it('give up a server that takes the request and never answers', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const table = makeDocumentClient(aStoreConfig({ dynamoDb: { endpoint } }, { storeTimeoutMs: 100 }));

    await expect(table.send(new GetCommand({ TableName: 'x', Key: { pk: 'a' } }))).rejects.toThrow(
      /did not finish within/,
    );

    server.closeAllConnections();
    server.close();
  });
});

describe('queues', () => {
  it('have deterministic names, a retention each, and dead letters wherever work is', () => {
    const queues = queueDefinitions('prod', 2);

    expect(queues.map(({ name }) => name)).toEqual([
      'prod-command-dead.fifo',
      'prod-events-dead.fifo',
      'prod-deliveries-dead',
      'prod-media-dead',
      'prod-command-0000.fifo',
      'prod-command-0001.fifo',
      'prod-events-00.fifo',
      'prod-deliveries',
      'prod-deliveries-slow',
      'prod-media',
    ]);
    expect(queues.every(({ name, fifo }) => name.endsWith('.fifo') === fifo)).toBe(true);
    expect(queues.every(({ retentionSeconds }) => retentionSeconds > 0)).toBe(true);
  });
});

describe('local key provider', () => {
  const context = { tenantId: 'tnt_1', connectionId: 'con_1' };
  const aKeyFile = (bytes = 32, mode = 0o600): string => {
    const file = join(mkdtempSync(join(tmpdir(), 'key-')), 'key');
    writeFileSync(file, Buffer.alloc(bytes, 7));
    chmodSync(file, mode);
    return file;
  };

  it('unwraps what it wrapped, for the same tenant and connection alone', async () => {
    const provider = makeLocalKeyProvider(aKeyFile());

    const { plaintext, wrapped } = await provider.generateDataKey(context);

    expect(Buffer.from(await provider.unwrapDataKey(wrapped, { connectionId: 'con_1', tenantId: 'tnt_1' }))).toEqual(
      plaintext,
    );
    await expect(provider.unwrapDataKey(wrapped, { ...context, connectionId: 'con_2' })).rejects.toThrow(
      /authenticate/,
    );
    await expect(provider.unwrapDataKey(wrapped, { ...context, tenantId: 'tnt_2' })).rejects.toThrow(/authenticate/);
  });

  it('refuses a key file that others can read, or of another size', () => {
    expect(() => makeLocalKeyProvider(aKeyFile(32, 0o644))).toThrow('can be read by others');
    expect(() => makeLocalKeyProvider(aKeyFile(16))).toThrow('exactly 32 bytes');
  });
});
