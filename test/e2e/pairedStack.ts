import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { makeTenant, type ApiClient } from '../../infra/local/apiClient.ts';
import { pairSandboxPhone } from '../../infra/local/pairing.ts';
import { startStack } from '../../infra/local/stack.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../infra/local/webhookReceiver.ts';
import type { QuotaChoices } from '../../shared/platform/quotaRows.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';

/** The embedded stack with one worker, phones, and a tenant that has a webhook and a connection. */
export interface PairedStack {
  readonly stack: RunningStack;
  readonly phones: WhatsAppClient;
  readonly receiver: WebhookReceiver;
  readonly api: ApiClient;
  /** The connection that is linked to the first of the phones. */
  readonly connection: string;
  readonly stop: () => Promise<void>;
}

type Numbers = readonly [own: string, ...others: string[]];

/**
 * Starts it without the budgets of a connection, which most tests would use up at once.
 * @param numbers the phones: the account's own first, each named after its number
 */
export function startPairedStack(...numbers: Numbers): Promise<PairedStack> {
  return start(numbers, { HOLDFAST_PACE_BUDGETS: 'off' });
}

/** Starts it with so many shards, each of which has room for 50 connections, for a tenant that may link as many, and without budgets. */
export function startWideStack(shards: number, ...numbers: Numbers): Promise<PairedStack> {
  return start(
    numbers,
    { HOLDFAST_PACE_BUDGETS: 'off' },
    { shards, quotas: { unpairedConnections: 200, pairings: 1_000 } },
  );
}

/** Starts it with the budgets that the product has by default. */
export function startPacedStack(...numbers: Numbers): Promise<PairedStack> {
  return start(numbers, {});
}

async function start(
  numbers: Numbers,
  workerSettings: Readonly<Record<string, string>>,
  { shards = 1, quotas }: { readonly shards?: number; readonly quotas?: QuotaChoices } = {},
): Promise<PairedStack> {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'));
  const stack = await startStack({
    dataDir,
    port: 0,
    live: false,
    workers: 1,
    shards,
    // Tests send more, and faster, than a new account may; those of the pace say so in the settings of their connection.
    workerSettings,
    say: () => undefined,
    onBroken: (reason) => expect.fail(reason),
  });
  const phones = new WhatsAppClient(stack.whatsAppControlUrl ?? '');
  const receiver = await startWebhookReceiver();
  for (const number of numbers) await phones.addPhone(number, number);
  const api = await makeTenant(stack.apiUrl, stack.operatorKey, 'Acme', quotas);
  const webhook = await api.must('POST', '/v1/webhooks', { url: receiver.url });
  receiver.trust(String(webhook['secret']));
  const connection = await pairSandboxPhone(api, phones, { number: numbers[0], method: 'qr' });
  const stop = async (): Promise<void> => {
    await receiver.stop();
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { stack, phones, receiver, api, connection, stop };
}
