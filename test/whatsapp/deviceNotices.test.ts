import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WhatsAppClient } from './client.ts';
import { PlainAccount, pairByQr } from './plainSocket.ts';
import { silenceConsole } from './silenceConsole.ts';
import { startWhatsApp } from './simulator.ts';

silenceConsole();
const ANN = '4915100000001';
const BOB = '4915100000002';

describe('a notice of a new device', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'whatsapp-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('waits for those who had asked for the devices of its account, also before a restart of the simulator', async () => {
    const first = await startWhatsApp({ stateDir: folder });
    const before = new WhatsAppClient(first.controlUrl);
    for (const number of [ANN, BOB]) await before.addPhone(number, 'Somebody');
    const ann = await pairByQr(new PlainAccount(), first, (qr) => before.scan(ANN, qr));
    await ann.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'hello' });
    ann.close();
    await first.stop();

    const second = await startWhatsApp({ stateDir: folder });
    const client = new WhatsAppClient(second.controlUrl);
    const waiting = async () => (await client.phones()).find(({ number }) => number === ANN)?.devices[0]?.waiting ?? 0;
    const atFirst = await waiting();
    const bob = await pairByQr(new PlainAccount(), second, (qr) => client.scan(BOB, qr));
    const afterwards = await waiting();
    bob.close();
    await second.stop();

    expect(afterwards).toBe(atFirst + 1);
  });
});
