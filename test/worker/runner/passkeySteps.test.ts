import { describe, expect, it } from 'vitest';
import type { PasskeyAnswer } from '../../../shared/connection/passkey.ts';
import { statusRules, type StatusCode } from '../../../shared/connection/status.ts';
import { step } from '../../../worker/runner/machine.ts';
import { initialState, type Input, type State, type Step } from '../../../worker/runner/machineTypes.ts';
import type { PairingOffer } from '../../../worker/socket/port/connectionSocket.ts';
import { aRunner, settle } from './fakes.ts';
import { anAccount, anOffer, aPairing, aPolicy } from './scripts.ts';

const NOW_MS = 1_000;
const answer: PasskeyAnswer = {
  challenge: 'AAAA',
  assertion: {
    id: 'AAAA',
    rawId: 'AAAA',
    type: 'public-key',
    response: { clientDataJSON: 'AAAA', authenticatorData: 'AAAA', signature: 'AAAA' },
  },
};
const required: PairingOffer = {
  method: 'passkey_required',
  options: '{}',
  challenge: 'AAAA',
  expiresAtMs: NOW_MS + 600_000,
};
const checking: PairingOffer = { method: 'passkey_checking', expiresAtMs: NOW_MS + 120_000 };
const confirm: PairingOffer = {
  method: 'passkey_confirm',
  code: 'ABCD1234',
  challenge: 'AAAA',
  expiresAtMs: NOW_MS + 120_000,
};

const live = (...inputs: readonly Input[]): Step => {
  const begin: Step = { state: initialState(), effects: [] };
  const context = { nowMs: NOW_MS, monotonicMs: NOW_MS, jitter: 0, policy: aPolicy };
  return inputs.reduce(({ state }, input) => step(state, input, context), begin);
};
const asked: Input = { type: 'pair_requested', pairing: aPairing('a', NOW_MS) };
const offered = (offer: PairingOffer): Input => ({ type: 'pairing_offered', generation: 1, offer });
const closed = (statusCode: number | undefined, node?: string): Input => ({
  type: 'socket_closed',
  generation: 1,
  close: { statusCode, node },
});
const shownBy = ({ effects }: Step) => effects.find((effect) => effect.type === 'record_status');

describe('a pairing for which a passkey is asked', () => {
  it.each<[StatusCode, PairingOffer, number]>([
    ['passkey_required', required, 630_000],
    ['passkey_checking', checking, 150_000],
    ['passkey_confirm', confirm, 150_000],
  ])('shows the step %s and gives it its time', (code, offer, delayMs) => {
    const after = live(asked, offered(anOffer), offered(offer));

    expect(after.state.name).toBe('pairing');
    expect(after.effects).toEqual([
      { type: 'set_timer', delayMs },
      { type: 'show_offer', offer },
      { type: 'record_status', status: 'awaiting_pairing', code },
    ]);
  });

  it.each<[string, Input, StatusCode]>([
    ['WhatsApp refuses it', closed(401, 'passkey_refused'), 'passkey_refused'],
    ['time is over', closed(undefined, 'passkey_expired'), 'passkey_expired'],
    ['its form is not known', closed(undefined, 'passkey_unsupported'), 'passkey_unsupported'],
    ['WhatsApp closes with 401', closed(401), 'pairing_refused'],
    ['WhatsApp closes with 403', closed(403), 'pairing_refused'],
    ['nothing comes at all', { type: 'timer' }, 'offer_expired'],
  ])('ends with a code, a sentence and an action when %s, and the request is spent', (_name, input, code) => {
    const after = live(asked, offered(anOffer), offered(required), input);

    const types = after.effects.map(({ type }) => type);
    expect(after.state.name).toBe('idle');
    expect(shownBy(after)).toMatchObject({ status: 'unpaired', code });
    expect(types).toEqual(expect.arrayContaining(['close_socket', 'remove_offer', 'spend_pairing']));
    expect(types).not.toContain('record_account');
    expect(statusRules[code].sentence).not.toBe('');
    expect(statusRules[code].userAction).not.toBe('none');
  });

  it.each([
    ['515', closed(515)],
    ['a lost network', closed(428)],
    ['a failing store', closed(undefined, 'store_failed')],
  ])('begins again with the same request after %s, and takes the step away', (_name, input) => {
    const after = live(asked, offered(anOffer), offered(checking), input);

    const goal = 'goal' in after.state ? after.state.goal : undefined;
    expect(goal).toMatchObject({ kind: 'pairing', pairing: { requestId: 'a' } });
    expect(after.effects.map(({ type }) => type)).toEqual(expect.arrayContaining(['close_socket', 'remove_offer']));
    expect(shownBy(after)).toMatchObject({ status: 'reconnecting' });
  });

  it('gives an answer to the socket while an offer is out, and to nobody else', () => {
    const answered: Input = { type: 'passkey_answered', answer };
    const states: readonly (readonly [State['name'], readonly Input[]])[] = [
      ['idle', []],
      ['connecting', [asked]],
      ['online', [asked, offered(anOffer), { type: 'socket_opened', generation: 1, account: anAccount }]],
      ['stopped', [asked, { type: 'stop_requested' }]],
    ];

    expect(live(asked, offered(anOffer), answered).effects).toEqual([{ type: 'answer_passkey', answer }]);
    for (const [name, inputs] of states) {
      const before = live(...inputs);
      const after = live(...inputs, answered);
      expect([name, after.state, after.effects]).toEqual([before.state.name, before.state, []]);
    }
  });
});

describe('a runner', () => {
  it('hands the answer to the socket that pairs', async () => {
    const { runner, source } = aRunner();
    runner.deliver(asked);
    await settle();
    source.last.say({ type: 'pairing_offered', generation: 1, offer: anOffer });
    await settle();

    runner.deliver({ type: 'passkey_answered', answer });
    await settle();

    expect(source.last.answers).toEqual([answer]);
  });
});
