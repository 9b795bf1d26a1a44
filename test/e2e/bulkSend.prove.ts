import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendBulk } from './bulkSend.ts';
import { startPairedStack, type PairedStack } from './pairedStack.ts';

const SHOP = '4915100000500';
const CUSTOMERS = Array.from({ length: 40 }, (_, place) => `49151000006${String(place).padStart(2, '0')}`);
const MESSAGES = 10_000;

describe('a bulk send of 10,000 messages', () => {
  let stage: PairedStack;
  beforeAll(async () => {
    stage = await startPairedStack(SHOP, ...CUSTOMERS);
  });
  afterAll(() => stage.stop());

  it('shows each once, in the order of its chat, while a worker is killed three times and the functions twice', async () => {
    const options = { messages: MESSAGES, workerKills: 3, functionKills: 2 };

    const { shown, asked, bulk, told, seconds } = await sendBulk(stage, CUSTOMERS, options);
    process.stdout.write(`10,000 messages to 40 chats in ${seconds.toFixed(0)} s: ${JSON.stringify(bulk['counts'])}\n`);

    expect(shown).toEqual(asked);
    expect(bulk).toMatchObject({ status: 'finished', total: MESSAGES, done: MESSAGES });
    expect(told).toEqual(['finished']);
  }, 2_400_000);
});
