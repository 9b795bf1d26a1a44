import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PasskeyAnswer } from '../../../../shared/connection/passkey.ts';
import type { PairingOffer, PairingRequest } from '../../../../worker/socket/port/connectionSocket.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, SocketRoom } from '../socketRoom.ts';

/** Longer than the key of the hand-off holds. */
const HANDOFF_OVER_MS = 6 * 60_000;
const REQUESTS: readonly PairingRequest[] = [{ method: 'qr' }, { method: 'code', phoneNumber: ANN }];
type Method = PairingOffer['method'];
type OfferOf<Wanted extends Method> = Extract<PairingOffer, { readonly method: Wanted }>;

describe('a pairing for which WhatsApp asks for the passkey', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
  });
  afterEach(() => room.stop());

  const offers = (): readonly PairingOffer[] =>
    room.inputs.flatMap((input) => (input.type === 'pairing_offered' ? [input.offer] : []));
  const offerOf = async <Wanted extends Method>(method: Wanted): Promise<OfferOf<Wanted>> => {
    const isWanted = (offer: PairingOffer): offer is OfferOf<Wanted> => offer.method === method;
    const found = await until(
      `the offer ${method}`,
      () => offers().find(isWanted),
      (offer) => offer !== undefined,
    );
    if (found === undefined) throw new Error('unreachable');
    return found;
  };
  /** Opens a socket, whose offer the phone reads. */
  const link = async (request: PairingRequest): Promise<OfferOf<'passkey_required'>> => {
    room.open(await room.session(), request);
    const { offer } = await room.input('pairing_offered');
    if (offer.method === 'qr') await room.client.scan(ANN, offer.qr);
    if (offer.method === 'code') await room.client.typeCode(ANN, offer.code);
    return offerOf('passkey_required');
  };
  const signed = async ({ challenge }: OfferOf<'passkey_required'>, origin?: string): Promise<PasskeyAnswer> => ({
    challenge,
    assertion: (await room.client.signPasskey(ANN, origin)) as PasskeyAnswer['assertion'],
  });
  const isPaired = async (): Promise<boolean> => (await room.session()).isPaired;
  const linksNobody = async (): Promise<void> => {
    expect(room.inputs.filter(({ type }) => type === 'paired')).toEqual([]);
    expect(await isPaired()).toBe(false);
    const [ann] = (await room.client.phones()).filter(({ number }) => number === ANN);
    expect(ann?.devices).toEqual([]);
  };

  it.each(REQUESTS.flatMap((request) => [true, false].map((embedded) => [request.method, embedded, request] as const)))(
    'is linked by %s without a code to compare, with the request in the notice: %s',
    async (_name, embedded, request) => {
      await room.client.demandPasskey(ANN, { embedded });

      const required = await link(request);
      const answer = await signed(required);
      room.socket?.answerPasskey(answer);
      await room.input('paired');
      await room.input('socket_closed');
      await room.login();

      expect(offers().map(({ method }) => method)).toEqual([
        request.method,
        'passkey_required',
        'passkey_checking',
        'passkey_checking',
      ]);
      expect(JSON.parse(required.options)).toMatchObject({ challenge: required.challenge, rpId: 'whatsapp.com' });
      expect(await room.client.passkey(ANN)).toEqual({ state: 'linked' });
    },
  );

  it.each(REQUESTS.map((request) => [request.method, request] as const))(
    'shows the code of the phone once the hand-off is too old, and is linked by %s when they are the same',
    async (_name, request) => {
      await room.client.demandPasskey(ANN);
      const answer = await signed(await link(request));
      room.aheadMs = HANDOFF_OVER_MS;

      room.socket?.answerPasskey(answer);
      const { code } = await offerOf('passkey_confirm');
      const shown = await room.client.passkey(ANN);
      room.socket?.answerPasskey({ ...answer, confirmedCode: 'WRONGONE' });
      room.socket?.answerPasskey(answer);
      const before = await room.client.passkey(ANN);
      room.socket?.answerPasskey({ ...answer, confirmedCode: code });
      await room.input('paired');
      await room.input('socket_closed');
      await room.login();

      expect(shown).toEqual({ state: 'revealed', code });
      expect(before.state).toBe('revealed');
      expect(code).toMatch(/^[1-9A-HJ-NP-Z]{8}$/);
    },
  );

  it('takes an answer once, however often it is given', async () => {
    await room.client.demandPasskey(ANN);
    const answer = await signed(await link({ method: 'qr' }));

    for (let time = 0; time < 3; time += 1) room.socket?.answerPasskey(answer);
    await room.input('paired');

    expect(await isPaired()).toBe(true);
  });

  it('leaves an answer to another challenge alone, and shows no more QR texts meanwhile', async () => {
    await room.client.demandPasskey(ANN);
    const required = await link({ method: 'qr' });

    room.socket?.answerPasskey({ ...(await signed(required)), challenge: 'AAAA' });
    await room.client.strike({ kind: 'refresh_registration' });

    expect(offers().map(({ method }) => method)).toEqual(['qr', 'passkey_required']);
    expect((await room.client.passkey(ANN)).state).toBe('asked');
  });

  it('ends with the refusal of an assertion that was signed on another origin', async () => {
    await room.client.demandPasskey(ANN);
    const required = await link({ method: 'qr' });

    room.socket?.answerPasskey(await signed(required, 'https://example.com'));
    const { close } = await room.input('socket_closed');

    expect(close).toMatchObject({ statusCode: 401, node: 'passkey_refused' });
    await linksNobody();
  });

  it.each(REQUESTS.map((request) => [request.method, request] as const))(
    'ends with the refusal of whichever question comes next, by %s',
    async (_name, request) => {
      await room.client.demandPasskey(ANN);
      const answer = await signed(await link(request));

      await room.client.fault({ kind: 'iq_error', xmlns: 'md', code: 429, times: 1 });
      room.socket?.answerPasskey(answer);
      const { close } = await room.input('socket_closed');

      expect(close).toMatchObject({ statusCode: 429, node: 'passkey_refused' });
      await linksNobody();
    },
  );

  const steps: Readonly<Record<string, (request: PairingRequest) => Promise<void>>> = {
    passkey_required: async (request) => void (await link(request)),
    passkey_checking: async (request) => {
      await room.client.demandPasskey(ANN, { hold: 'continuation' });
      const answer = await signed(await link(request));
      room.socket?.answerPasskey(answer);
      await until(
        'the phone has its turn',
        () => room.client.passkey(ANN),
        ({ state }) => state === 'checking',
      );
    },
    passkey_confirm: async (request) => {
      const answer = await signed(await link(request));
      room.aheadMs = HANDOFF_OVER_MS;
      room.socket?.answerPasskey(answer);
      await offerOf('passkey_confirm');
    },
    'the end': async (request) => {
      await room.client.demandPasskey(ANN, { hold: 'success' });
      const answer = await signed(await link(request));
      room.socket?.answerPasskey(answer);
      await until(
        'the phone has all',
        () => room.client.passkey(ANN),
        ({ state }) => state === 'sealed',
      );
    },
  };
  const strikes = {
    515: { kind: 'stream_error', code: 515 },
    401: { kind: 'failure', reason: 401 },
    'no word': { kind: 'close' },
  } as const;

  it.each(
    REQUESTS.flatMap((request) =>
      Object.entries(steps).flatMap(([step, reach]) =>
        Object.entries(strikes).map(
          ([name, strike]) => [request.method, step, name, { request, reach, strike }] as const,
        ),
      ),
    ),
  )(
    'links nobody by %s when the socket ends at %s with %s',
    async (_method, _step, _name, { request, reach, strike }) => {
      await room.client.demandPasskey(ANN);
      await reach(request);

      const hit = await room.client.strike({ kind: 'strike_passkey', number: ANN, strike });
      await room.input('socket_closed');

      expect(hit).toBe(1);
      await linksNobody();
    },
  );

  it.each(Object.entries(steps))('links nobody when the worker ends it at %s', async (_step, reach) => {
    await room.client.demandPasskey(ANN);
    await reach({ method: 'qr' });

    await room.socket?.close('end');

    await linksNobody();
  });
});
