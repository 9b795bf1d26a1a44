import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import type { Effect, State } from '../../../worker/runner/machineTypes.ts';
import { aPolicy, lives, type Moment } from './scripts.ts';

const RUNS = { numRuns: 3_000 };
const always = (holds: (life: readonly Moment[]) => boolean): void => fc.assert(fc.property(lives, holds), RUNS);

const WRITES = new Set<Effect['type']>([
  'record_status',
  'record_account',
  'retire_credentials',
  'show_offer',
  'remove_offer',
  'fail_messages',
]);
const SPACING_MS = 30_000;

const asks = ({ effects }: Moment, type: Effect['type']): boolean => effects.some((effect) => effect.type === type);
const isSilent = ({ before, after, effects }: Moment): boolean => before === after && effects.length === 0;
const hasSocket = (state: State): boolean => ['connecting', 'pairing', 'online', 'draining'].includes(state.name);
const isWaiting = (state: State): boolean => ['connecting', 'pairing', 'backing_off', 'draining'].includes(state.name);

describe('the connection machine, in random lives', () => {
  it('has at most one socket open', () => {
    always((life) => {
      const open = new Set<number>();
      return life.every(({ after, effects }) => {
        const alone = effects.every((effect) => {
          if (effect.type === 'close_socket') open.delete(effect.generation);
          if (effect.type === 'open_socket') open.add(effect.generation);
          return open.size <= 1;
        });
        return alone && open.size === (hasSocket(after) ? 1 : 0);
      });
    });
  });

  it('is absorbing and silent once stopped', () => {
    always((life) => life.filter(({ before }) => before.name === 'stopped').every(isSilent));
  });

  it('retires credentials only on proof or on command', () => {
    const isProof = ({ input }: Moment): boolean =>
      input.type === 'socket_closed' &&
      ([401, 403, 406].includes(input.close.statusCode ?? 0) || input.close.node === 'device_removed');

    always((life) =>
      life
        .filter((moment) => asks(moment, 'retire_credentials'))
        .every((moment) => isProof(moment) || moment.input.type === 'unlink_requested'),
    );
  });

  it('says that it stopped once, last, and after the socket is closed', () => {
    always((life) => {
      const effects = life.flatMap((moment) => moment.effects);
      const stops = effects.filter(({ type }) => type === 'runner_stopped').length;
      if (life.at(-1)?.after.name !== 'stopped') return stops === 0;
      const opened = effects.filter(({ type }) => type === 'open_socket').length;
      const closed = new Set(effects.flatMap((effect) => (effect.type === 'close_socket' ? [effect.generation] : [])));
      return stops === 1 && effects.at(-1)?.type === 'runner_stopped' && closed.size === opened;
    });
  });

  it('writes nothing once ownership is lost', () => {
    always((life) => {
      const lost = life.findIndex(({ input }) => input.type === 'ownership_lost');
      const after = lost === -1 ? [] : life.slice(lost);
      return after.every(({ effects }) => effects.every(({ type }) => !WRITES.has(type)));
    });
  });

  it('always stops when ownership is lost', () => {
    always((life) =>
      life.filter(({ input }) => input.type === 'ownership_lost').every(({ after }) => after.name === 'stopped'),
    );
  });

  it('holds a timer in exactly the waiting states', () => {
    always((life) => {
      let held = false;
      return life.every((moment) => {
        const { input, after, effects } = moment;
        // A timer can only fire where one is held; random lives have others, and those change nothing.
        if (input.type === 'timer' && !isSilent(moment)) held = false;
        for (const { type } of effects) {
          if (type === 'set_timer') held = true;
          if (type === 'clear_timer') held = false;
        }
        return held === isWaiting(after);
      });
    });
  });

  it('hears nothing from a stale socket', () => {
    const isStale = ({ before, input }: Moment): boolean =>
      'generation' in input && 'generation' in before && input.generation !== before.generation;

    always((life) => life.filter(isStale).every(isSilent));
  });

  it('gives each socket a new generation', () => {
    always((life) => {
      const generations = life.flatMap(({ effects }) =>
        effects.flatMap((effect) => (effect.type === 'open_socket' ? [effect.generation] : [])),
      );
      return generations.every((generation, index) => generation === index + 1);
    });
  });

  it('keeps each delay inside the cap', () => {
    always((life) =>
      life
        .filter(({ after }) => after.name === 'backing_off')
        .flatMap(({ effects }) => effects)
        .every(
          (effect) => effect.type !== 'set_timer' || (effect.delayMs >= 0 && effect.delayMs <= aPolicy.maxDelayMs),
        ),
    );
  });

  it('asks to be woken for a retry no sooner than 30 s after the last open', () => {
    always((life) => {
      let openedAtMs = -SPACING_MS;
      return life.every(({ context, after, effects }) =>
        effects.every((effect) => {
          if (effect.type === 'open_socket') openedAtMs = context.monotonicMs;
          if (effect.type !== 'set_timer' || after.name !== 'backing_off') return true;
          return context.monotonicMs + effect.delayMs - openedAtMs >= SPACING_MS;
        }),
      );
    });
  });

  it('is not claimable after it gave up, and is after a hand-off', () => {
    const claimable = new Set(['handing_off', undefined]);

    always((life) =>
      life
        .filter((moment) => asks(moment, 'runner_stopped'))
        .every(({ after, effects }) => {
          const [status] = effects.flatMap((effect) => (effect.type === 'record_status' ? [effect.status] : []));
          const reason = after.name === 'stopped' ? after.reason : undefined;
          if (reason === 'gave_up') return status === 'failed' || status === 'restricted';
          return reason !== 'released' || claimable.has(status);
        }),
    );
  });

  it('opens nothing by itself before a ban has ended', () => {
    always((life) =>
      life
        .filter(({ before, input }) => before.name === 'backing_off' && input.type === 'timer')
        .filter((moment) => asks(moment, 'open_socket'))
        .every(({ before, context }) => before.name !== 'backing_off' || context.nowMs >= (before.untilMs ?? 0)),
    );
  });

  it('shows no time of a next attempt while it waits for another client version', () => {
    always((life) =>
      life
        .filter(({ after }) => after.name === 'backing_off' && after.cause === 'version_refused')
        .flatMap(({ effects }) => effects)
        .every((effect) => effect.type !== 'record_status' || effect.nextAttemptAtMs === undefined),
    );
  });

  it('restarts at once only for the first time in a stable minute', () => {
    always((life) =>
      life
        .filter((moment) => moment.input.type === 'socket_closed' && asks(moment, 'open_socket'))
        .every(({ before, input, context }) => {
          const asked = input.type === 'socket_closed' && input.close.statusCode === 515;
          const stable = before.name === 'online' && context.monotonicMs - before.sinceMs >= aPolicy.stableAfterMs;
          return asked && (stable || ('tries' in before && before.tries.restarts === 0));
        }),
    );
  });
});
