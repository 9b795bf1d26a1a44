import { describe, expect, it } from 'vitest';
import { PlainAccount } from './plainSocket.ts';
import { silenceConsole } from './silenceConsole.ts';
import { useStage } from './sockets.ts';

silenceConsole();
const ANN = '4915100000001';

describe('a registration that is refreshed while the QR text is shown', () => {
  const stage = useStage({ Ann: ANN });

  it('cannot be finished by plain Baileys, which neither acknowledges it nor changes its secret', async () => {
    const socket = stage.connect(new PlainAccount());
    const { qr = '' } = await socket.until('a QR text', (update) => update.qr !== undefined);

    const hit = await stage.client().strike({ kind: 'refresh_registration', shown: qr });
    const scanned = stage.client().scan(ANN, qr);

    await expect(scanned).rejects.toThrow('refreshed');
    expect(hit).toBe(1);
  });

  it('goes on to link whoever shows no voided secret and needs no acknowledgement', async () => {
    const socket = stage.connect(new PlainAccount());
    const { qr = '' } = await socket.until('a QR text', (update) => update.qr !== undefined);

    await stage.client().strike({ kind: 'refresh_registration', form: 'ib' });
    const { device } = await stage.client().scan(ANN, qr);

    expect(device).toBe(1);
  });
});
