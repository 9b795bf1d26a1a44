import * as fc from 'fast-check';
import type { PasskeyAnswer } from '../../../shared/connection/passkey.ts';
import { step } from '../../../worker/runner/machine.ts';
import {
  initialState,
  type Effect,
  type Input,
  type Policy,
  type State,
  type StepContext,
} from '../../../worker/runner/machineTypes.ts';

/** Random lives of a machine, and what came of each input. */
export const aPolicy: Policy = {
  baseDelayMs: 5_000,
  maxDelayMs: 300_000,
  openSpacingMs: 30_000,
  maxAttempts: 10,
  stableAfterMs: 60_000,
  openWithinMs: 150_000,
  pairWithinMs: 300_000,
  drainWithinMs: 20_000,
};

export const anAccount = { phoneJid: '4915112345678@s.whatsapp.net', lid: undefined, name: undefined } as const;
export const aPairing = (requestId: string, requestedAtMs = 0) =>
  ({ requestId, requestedAtMs, method: 'qr' }) as const satisfies Extract<
    Input,
    { readonly type: 'pair_requested' }
  >['pairing'];
const anAnswer: PasskeyAnswer = {
  challenge: 'AAAA',
  assertion: {
    id: 'AAAA',
    rawId: 'AAAA',
    type: 'public-key',
    response: { clientDataJSON: 'AAAA', authenticatorData: 'AAAA', signature: 'AAAA' },
  },
};
const aPasskeyStep = { method: 'passkey_checking', expiresAtMs: 120_000 } as const;
export const anOffer = { method: 'qr', qr: 'ref,a,b,c', expiresAtMs: 60_000 } as const;

export interface Moment {
  readonly before: State;
  readonly input: Input;
  readonly context: StepContext;
  readonly after: State;
  readonly effects: readonly Effect[];
}

/** Steps a machine through inputs. `afterMs` passes before each. */
export function run(
  inputs: readonly { readonly input: Input; readonly afterMs?: number; readonly jitter?: number }[],
  start: State = initialState(),
  policy: Policy = aPolicy,
): readonly Moment[] {
  let state = start;
  let nowMs = 1_000;
  return inputs.map(({ input, afterMs = 0, jitter = 1 }) => {
    nowMs += afterMs;
    const context: StepContext = { nowMs, monotonicMs: nowMs, jitter, policy };
    const { state: after, effects } = step(state, input, context);
    const moment = { before: state, input, context, after, effects };
    state = after;
    return moment;
  });
}

const codes = [undefined, 401, 402, 403, 405, 406, 408, 409, 411, 418, 428, 440, 500, 503, 515];

type Draft =
  | { readonly kind: 'plain'; readonly input: Input }
  | { readonly kind: 'socket'; readonly make: (generation: number) => Input; readonly back: number };

const plain: fc.Arbitrary<Draft> = fc
  .oneof<fc.Arbitrary<Input>[]>(
    fc.boolean().map((linked) => ({ type: 'start', linked, code: 'never_paired' })),
    fc
      .tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom(0, 400_000))
      .map(([requestId, requestedAtMs]) => ({ type: 'pair_requested', pairing: aPairing(requestId, requestedAtMs) })),
    fc.constantFrom<Input>(
      { type: 'timer' },
      { type: 'timer' },
      { type: 'restart_requested' },
      { type: 'passkey_answered', answer: anAnswer },
      { type: 'version_changed' },
      { type: 'drain_finished' },
    ),
  )
  .map((input) => ({ kind: 'plain', input }));

const ending: fc.Arbitrary<Draft> = fc
  .constantFrom<Input>(
    { type: 'stop_requested' },
    { type: 'unlink_requested' },
    { type: 'drain_requested' },
    { type: 'ownership_lost' },
  )
  .map((input) => ({ kind: 'plain', input }));

const socket: fc.Arbitrary<Draft> = fc
  .tuple(
    fc.oneof(
      fc.constantFrom<(generation: number) => Input>(
        (generation) => ({ type: 'pairing_offered', generation, offer: anOffer }),
        (generation) => ({ type: 'pairing_offered', generation, offer: aPasskeyStep }),
        (generation) => ({ type: 'paired', generation, account: anAccount }),
        (generation) => ({ type: 'socket_opened', generation, account: anAccount }),
        (generation) => ({ type: 'caught_up', generation }),
        (generation) => ({ type: 'unwell', generation, symptom: 'deaf', forMs: 50_000 }),
        (generation) => ({
          type: 'ownership_confirmed',
          generation,
          close: { statusCode: 440, node: 'replaced' },
        }),
      ),
      fc
        .tuple(
          fc.constantFrom(...codes),
          fc.constantFrom(undefined, undefined, undefined, 'device_removed', 'version_refused'),
          fc.constantFrom(undefined, 1_000, 86_400_000),
        )
        .map(([statusCode, node, endsInMs]) => (generation: number): Input => ({
          type: 'socket_closed',
          generation,
          close: { statusCode, node, ...(endsInMs === undefined ? {} : { endsInMs }) },
        })),
    ),
    fc.constantFrom(0, 0, 0, 0, 1, 2),
  )
  .map(([make, back]) => ({ kind: 'socket', make, back }));

/** A random life: mostly socket inputs of the current generation, few endings. */
export const lives: fc.Arbitrary<readonly Moment[]> = fc
  .array(
    fc.record({
      draft: fc.oneof(
        { weight: 6, arbitrary: socket },
        { weight: 4, arbitrary: plain },
        { weight: 1, arbitrary: ending },
      ),
      afterMs: fc.constantFrom(0, 10, 5_000, 61_000),
      jitter: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    }),
    { maxLength: 60 },
  )
  .map((drafts) => {
    const moments: Moment[] = [];
    let state: State = initialState();
    let nowMs = 1_000;
    for (const { draft, afterMs, jitter } of drafts) {
      nowMs += afterMs;
      const generation = 'generation' in state ? state.generation : 0;
      const input = draft.kind === 'plain' ? draft.input : draft.make(generation - draft.back);
      const context: StepContext = { nowMs, monotonicMs: nowMs, jitter, policy: aPolicy };
      const { state: after, effects } = step(state, input, context);
      moments.push({ before: state, input, context, after, effects });
      state = after;
    }
    return moments;
  });
