import { expect, it } from 'vitest';
import { WhatsAppClient } from '../client.ts';
import { silenceConsole } from '../silenceConsole.ts';
import { startWhatsApp } from '../simulator.ts';

silenceConsole();
const [ANN, BOB] = ['4915100000001', '4915100000002'];
const BYTES = 2 * 1024 ** 3 - 1;

it('sends and opens a file of 2 GB without ever holding it in memory', async () => {
  const whatsApp = await startWhatsApp();
  const client = new WhatsAppClient(whatsApp.controlUrl);
  await client.addPhone(ANN, 'Ann');
  await client.addPhone(BOB, 'Bob');
  const before = process.memoryUsage.rss();
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 50);

  // The client of the control API would give up before it is sealed.
  const response = await fetch(`${whatsApp.controlUrl}/phones/${ANN}/messages`, {
    method: 'POST',
    body: JSON.stringify({ to: BOB, media: { kind: 'document', noise: { bytes: BYTES } } }),
  });
  const { id } = (await response.json()) as { readonly id: string };
  const shown = await client.files.opened(BOB, id, 300_000);

  expect(shown).toMatchObject({ state: 'opened', complaints: [], bytes: BYTES });
  clearInterval(watch);
  await whatsApp.stop();
  expect(most - before).toBeLessThan(150 * 1024 * 1024);
});
