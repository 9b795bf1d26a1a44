import { Boom } from '@hapi/boom';
import { initAuthCreds, proto, type BinaryNode } from '@whiskeysockets/baileys';
import { beforeEach, describe, expect, it } from 'vitest';
import { assertionSchema } from '../../../../shared/connection/passkey.ts';
import { systemRandom } from '../../../../shared/kernel/random.ts';
import { PasskeyExchange } from '../../../../worker/socket/pairing/passkey/passkeyExchange.ts';
import type { PairingOffer } from '../../../../worker/socket/port/connectionSocket.ts';
import { PasskeyCredential } from '../../../whatsapp/passkeyCredential.ts';
import { settle } from '../../runner/fakes.ts';

const CHALLENGE = 'Y2hhbGxlbmdl';
const SERVER = 's.whatsapp.net';
const assertion = assertionSchema.parse(new PasskeyCredential().sign(CHALLENGE));
const answer = { challenge: CHALLENGE, assertion };
const notice = (type: string, content?: BinaryNode[], from = SERVER): BinaryNode => ({
  tag: 'notification',
  attrs: { from, type, id: '1' },
  ...(content === undefined ? {} : { content }),
});
const requestOf = (challenge: string): BinaryNode =>
  notice('passkey_prologue_request', [
    { tag: 'passkey_request_options', attrs: {}, content: Buffer.from(JSON.stringify({ challenge })) },
  ]);
const phoneOf = (publicKey: Uint8Array, nonce: Uint8Array): BinaryNode =>
  notice('crsc_continuation', [
    {
      tag: 'primary_ephemeral_identity',
      attrs: {},
      content: proto.PrimaryEphemeralIdentity.encode({ publicKey, nonce }).finish(),
    },
  ]);
const phone = phoneOf(
  Buffer.from('5869aff450549732cbaaed5e5df9b30a6da31cb0e5742bad5ad4a1a768f1a67b', 'hex'),
  Buffer.alloc(32, 4),
);

describe('the exchange of a passkey', () => {
  let offers: PairingOffer[];
  let cuts: unknown[];
  let asked: string[];
  /** What the server answers to a question, by its tag; an empty result otherwise. */
  let answers: Record<string, BinaryNode | Error>;
  /** The deadline that is running, with its length. */
  let deadline: { readonly ms: number; readonly end: () => void } | undefined;
  let nowMs: number;
  let credentials: ReturnType<typeof initAuthCreds>;
  let exchange: PasskeyExchange;
  beforeEach(() => {
    [offers, cuts, asked, answers, deadline, nowMs] = [[], [], [], {}, undefined, 1_000];
    answers['ref'] = { tag: 'iq', attrs: {}, content: [{ tag: 'ref', attrs: {}, content: Buffer.from('ref') }] };
    credentials = initAuthCreds();
    exchange = new PasskeyExchange({
      socket: {
        query: (async (stanza: BinaryNode) => {
          const [child] = stanza.content as BinaryNode[];
          asked.push(child?.tag ?? '');
          const found = answers[child?.tag ?? ''] ?? { tag: 'iq', attrs: {} };
          if (found instanceof Error) throw found;
          return found;
        }) as never,
      },
      queryTimeoutMs: 1_000,
      credentials,
      random: systemRandom,
      nowMs: () => nowMs,
      monotonicMs: () => nowMs,
      scope: {
        timeout: (ms, end) => {
          const mine = { ms, end };
          deadline = mine;
          return () => {
            if (deadline === mine) deadline = undefined;
          };
        },
      },
      offer: (offer) => void offers.push(offer),
      cut: (cause) => void cuts.push(cause),
    });
  });

  const hear = async (stanza: BinaryNode): Promise<void> => {
    exchange.hear(stanza);
    await settle();
  };
  const say = async (said: Parameters<PasskeyExchange['answer']>[0]): Promise<void> => {
    exchange.answer(said);
    await settle();
  };
  const steps: Readonly<Record<string, () => Promise<void>>> = {
    'the signature': () => hear(requestOf(CHALLENGE)),
    'the phone': async () => {
      await steps['the signature']?.();
      await say(answer);
    },
    'the comparison': async () => {
      await steps['the signature']?.();
      nowMs += 5 * 60_000;
      await say(answer);
      await hear(phone);
    },
    'the success': async () => {
      await steps['the phone']?.();
      await hear(phone);
    },
  };

  it.each(Object.entries(steps))('ends when the time for %s is over', async (_name, reach) => {
    await reach();
    const before = [...cuts];

    deadline?.end();

    expect(before).toEqual([]);
    expect(cuts).toMatchObject([{ data: { tag: 'passkey_expired' } }]);
  });

  it('gives a person ten minutes to sign, and each further step two', async () => {
    const lengths: (number | undefined)[] = [];
    for (const reach of [() => hear(requestOf(CHALLENGE)), () => say(answer), () => hear(phone)]) {
      await reach();
      lengths.push(deadline?.ms);
    }

    expect(lengths).toEqual([600_000, 120_000, 120_000]);
    expect(offers.map(({ expiresAtMs }) => expiresAtMs - nowMs)).toEqual([600_000, 120_000, 120_000]);
  });

  it('changes the secret with the first request alone, and proves the hand-off with the one before', async () => {
    const first = credentials.advSecretKey;
    await hear(requestOf(CHALLENGE));
    const second = credentials.advSecretKey;
    await hear(requestOf('b3RoZXI'));

    expect(second).not.toBe(first);
    expect(credentials.advSecretKey).toBe(second);
    expect(offers).toMatchObject([{ challenge: CHALLENGE }, { challenge: 'b3RoZXI' }]);
  });

  it('asks for a comparison when WhatsApp asks for the passkey again after an answer', async () => {
    await steps['the phone']?.();
    await hear(requestOf('b3RoZXI'));
    await say({ challenge: 'b3RoZXI', assertion });
    await hear(phone);

    expect(offers.at(-1)?.method).toBe('passkey_confirm');
    expect(asked.filter((tag) => tag === 'passkey_prologue')).toHaveLength(2);
  });

  it('asks for the request where the notice has none, or one that cannot be read', async () => {
    const content = [
      { tag: 'passkey_request_options', attrs: {}, content: Buffer.from(JSON.stringify({ challenge: CHALLENGE })) },
    ];
    answers['passkey_request_options'] = { tag: 'iq', attrs: {}, content };
    await hear(notice('passkey_prologue_request'));

    expect(asked).toEqual(['passkey_request_options']);
    expect(offers).toMatchObject([{ method: 'passkey_required', challenge: CHALLENGE }]);
  });

  it.each([
    ['a request in no known form', async () => hear(notice('passkey_prologue_request'))],
    [
      'no reference',
      async () => {
        answers['ref'] = { tag: 'iq', attrs: {} };
        await steps['the phone']?.();
      },
    ],
    [
      'an identity of the phone that agrees on nothing',
      async () => {
        await steps['the phone']?.();
        await hear(phoneOf(Buffer.alloc(32), Buffer.alloc(32, 4)));
      },
    ],
    [
      'an identity of the phone that is none',
      async () => {
        await steps['the phone']?.();
        await hear(notice('crsc_continuation'));
      },
    ],
  ])('ends as unsupported with %s', async (_name, act) => {
    await act();

    expect(cuts).toMatchObject([{ data: { tag: 'passkey_unsupported' } }]);
  });

  it.each(['ref', 'passkey_prologue', 'companion_nonce', 'encrypted_pairing_request'])(
    'ends with the number with which %s is refused',
    async (tag) => {
      answers[tag] = new Boom('refused', { data: 403 });
      await steps['the success']?.();

      expect(cuts).toMatchObject([{ data: { tag: 'passkey_refused' }, output: { statusCode: 403 } }]);
    },
  );

  it('leaves what others than the server say, and a turn of the phone that nobody waits for', async () => {
    await hear(phone);

    expect(exchange.isMeant(requestOf(CHALLENGE))).toBe(true);
    expect(exchange.isMeant(notice('passkey_prologue_request', undefined, '4915100000001@s.whatsapp.net'))).toBe(false);
    expect([asked, offers, cuts, exchange.isUnderWay]).toEqual([[], [], [], false]);
  });
});
