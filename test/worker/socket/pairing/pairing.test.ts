import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PairingOffer, SocketInput } from '../../../../worker/socket/port/connectionSocket.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, SocketRoom } from '../socketRoom.ts';

describe('pairing', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
  });
  afterEach(() => room.stop());

  const offers = (): readonly PairingOffer[] =>
    room.inputs.flatMap((input) => (input.type === 'pairing_offered' ? [input.offer] : []));
  const qrOf = (offer: PairingOffer | undefined): string => (offer?.method === 'qr' ? offer.qr : '');
  const codeOf = (offer: PairingOffer | undefined): string => (offer?.method === 'code' ? offer.code : '');
  const typesOf = (inputs: readonly SocketInput[]): readonly string[] => inputs.map(({ type }) => type);

  it.each(['notification', 'iq', 'ib'] as const)(
    'shows the QR text again with a new secret and the life that is left when the registration is refreshed by %s',
    async (form) => {
      room.open(await room.session(), { method: 'qr' });
      const { offer: first } = await room.input('pairing_offered');

      await room.client.strike({ kind: 'refresh_registration', form, shown: qrOf(first) });
      const [, second] = await until('a second offer', offers, ({ length }) => length === 2);
      const old = await room.client.scan(ANN, qrOf(first)).catch((error: Error) => error.message);
      await room.client.scan(ANN, qrOf(second));
      await room.input('paired');
      await room.input('socket_closed');
      await room.login();

      const [ref, noise, identity, secret, platform] = qrOf(first).split(',');
      const parts = qrOf(second).split(',');
      expect(parts.toSpliced(3, 1)).toEqual([ref, noise, identity, platform]);
      expect(parts[3]).not.toBe(secret);
      expect(Buffer.from(parts[3] ?? '', 'base64')).toHaveLength(32);
      expect(second?.expiresAtMs).toBe(first.expiresAtMs);
      expect(old).toContain('refreshed');
    },
  );

  it('takes a new secret for each refresh, and is linked with the last', async () => {
    room.open(await room.session(), { method: 'qr' });
    await room.input('pairing_offered');

    for (const count of [1, 2, 3]) {
      await room.client.strike({ kind: 'refresh_registration', shown: qrOf(offers().at(-1)) });
      await until('the next offer', offers, ({ length }) => length === count + 1);
    }
    await room.client.scan(ANN, qrOf(offers().at(-1)));
    await room.input('paired');

    expect(new Set(offers().map(qrOf)).size).toBe(4);
  });

  it('goes on when a code notification is empty, or the registration is refreshed while a code is typed', async () => {
    room.open(await room.session(), { method: 'code', phoneNumber: ANN });
    const { offer } = await room.input('pairing_offered');

    await room.client.strike({ kind: 'empty_code_notification' });
    await room.client.strike({ kind: 'refresh_registration' });
    await room.client.typeCode(ANN, codeOf(offer));
    await room.input('paired');

    expect(offers()).toHaveLength(1);
  });

  it('goes on when an empty code notification comes while a QR text is shown', async () => {
    room.open(await room.session(), { method: 'qr' });
    const { offer } = await room.input('pairing_offered');

    await room.client.strike({ kind: 'empty_code_notification' });
    await room.client.scan(ANN, qrOf(offer));
    await room.input('paired');

    expect(offers()).toHaveLength(1);
  });

  it('offers no code that the server has refused, and closes with its number', async () => {
    await room.client.fault({ kind: 'iq_error', xmlns: 'md', code: 400, times: 1 });

    room.open(await room.session(), { method: 'code', phoneNumber: ANN });
    const { close } = await room.input('socket_closed');

    expect(close).toMatchObject({ statusCode: 400, node: 'link_code_companion_reg' });
    expect(typesOf(room.inputs)).toEqual(['socket_closed']);
    expect((await room.session()).isPaired).toBe(false);
  });

  it('offers no code to which the server says nothing, and closes', async () => {
    await room.client.fault({ kind: 'iq_hang', xmlns: 'md', times: 1 });

    room.open(await room.session(), { method: 'code', phoneNumber: ANN });
    const { close } = await room.input('socket_closed');

    // Not 408: during a pairing that number says that its offers are spent.
    expect(close).toMatchObject({ statusCode: undefined, node: undefined });
    expect(typesOf(room.inputs)).toEqual(['socket_closed']);
  });
});
