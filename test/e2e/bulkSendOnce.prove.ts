import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendBulk } from './bulkSend.ts';
import { startPairedStack, type PairedStack } from './pairedStack.ts';

const [SHOP, ...CUSTOMERS] = ['4915100000041', '4915100000042', '4915100000043', '4915100000044'] as const;
const MESSAGES = 150;

describe('a bulk send, through every process of the embedded stack', () => {
  let stage: PairedStack;
  beforeAll(async () => {
    stage = await startPairedStack(SHOP, ...CUSTOMERS);
  });
  afterAll(() => stage.stop());

  it('shows each message once, in the order of its chat, while its worker is killed', async () => {
    const options = { messages: MESSAGES, workerKills: 1, functionKills: 0 };

    const { shown, asked, bulk, told, singleAt } = await sendBulk(stage, CUSTOMERS, options);

    expect(shown).toEqual(asked);
    expect(bulk).toMatchObject({ status: 'finished', total: MESSAGES, done: MESSAGES });
    expect(told).toEqual(['finished']);
    expect(singleAt).toBeGreaterThan(0);
    expect(singleAt).toBeLessThan(MESSAGES / CUSTOMERS.length);
  }, 180_000);
});
