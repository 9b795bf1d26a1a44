import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTables, startDynamoDb } from '../emulators/dynamodb.ts';
import { played } from '../sample.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { startWhatsApp, type WhatsAppSimulator } from '../whatsapp/simulator.ts';
import type { Received } from './clients.ts';
import { measure } from './measure.ts';
import { makeOurClients } from './ourClients.ts';
import { scenarios, smallSize } from './scenarios.ts';

describe('traffic around a restart, at a small size', () => {
  let whatsApp: WhatsAppSimulator;
  let dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>;
  let folder: string;
  beforeEach(async () => {
    [whatsApp, dynamoDb] = await Promise.all([startWhatsApp(), startDynamoDb()]);
    await createTables(dynamoDb.endpoint, 'test');
    folder = mkdtempSync(join(tmpdir(), 'decryption-'));
  });
  afterEach(async () => {
    await Promise.all([whatsApp.stop(), dynamoDb.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(played(scenarios, 3))(
    '$name: every message is read at first sight, once, and no key is fetched',
    async (scenario) => {
      const received: Received[] = [];
      const dynamoDbEndpoint = dynamoDb.endpoint;
      const clients = makeOurClients({ whatsApp, folder, dynamoDbEndpoint, onReceived: (each) => received.push(each) });

      const outcome = await measure({
        clients,
        whatsApp: new WhatsAppClient(whatsApp.controlUrl),
        received,
        scenario,
        size: smallSize,
      });
      await clients.stop();

      expect(outcome).toEqual({
        sends: smallSize.accounts * smallSize.sends,
        messages: smallSize.accounts * smallSize.messages,
        unreadOut: 0,
        unreadOwn: 0,
        unreadIn: 0,
        retryRequests: 0,
        keyFetches: 0,
        deviceQueries: 0,
        lost: 0,
        duplicates: 0,
        internalErrors: [],
      });
    },
  );
});
