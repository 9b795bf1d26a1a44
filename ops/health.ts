import type { State } from './readState.ts';
import { counted } from './sentence.ts';
import { ableWorkers } from './status.ts';

export type Verdict = 'good' | 'look' | 'bad';

/** One thing that was looked at. `bad`: customers feel it or soon will. `look`: a person should, at some time. */
export interface Finding {
  readonly verdict: Verdict;
  readonly sentence: string;
}

const good = (sentence: string): Finding => ({ verdict: 'good', sentence });
const look = (sentence: string): Finding => ({ verdict: 'look', sentence });
const bad = (sentence: string): Finding => ({ verdict: 'bad', sentence });

/** Everything that `health` looks at, one function each. What was not read gives no finding. */
const checks: readonly ((state: State) => Finding | undefined)[] = [
  ({ fleet }) => {
    const able = ableWorkers(fleet).length;
    if (able === 0) return bad('No worker can take connections.');
    return able === 1
      ? look('One worker runs alone: nobody could take over from it.')
      : good(`${counted(able, 'worker')} can take connections.`);
  },
  ({ fleet }) => {
    const suspended = fleet.workers.filter((worker) => worker.suspended).map(({ id }) => id);
    return suspended.length === 0
      ? good('Every worker reaches the Fleet table.')
      : bad(`Without a heartbeat for more than 15 s: ${suspended.join(', ')}.`);
  },
  ({ fleet }) => {
    const full = fleet.workers.filter((worker) => worker.state === 'ALIVE' && worker.full).map(({ id }) => id);
    return full.length === 0
      ? good('Every worker has room.')
      : look(`Take no more shards, as memory is short or the event loop late: ${full.join(', ')}. See ops scale.`);
  },
  ({ fleet }) =>
    fleet.unowned === 0
      ? good(`All of the ${counted(fleet.shards.length, 'shard')} have an owner.`)
      : bad(`Without an owner: ${fleet.unowned} of ${counted(fleet.shards.length, 'shard')}.`),
  ({ fleet }) => {
    const leader = fleet.workers.find(({ id, state }) => id === fleet.leader && state !== 'DEAD');
    return leader === undefined ? bad('The fleet has no living leader.') : good(`${leader.id} leads.`);
  },
  ({ fleet }) =>
    fleet.brake
      ? bad('The brake is on: so many workers look dead at once that none is declared dead.')
      : good('The brake is off.'),
  ({ fleet }) =>
    fleet.mode === 'outage'
      ? bad('WhatsApp refuses nearly all logins, so only a few are tried.')
      : good('WhatsApp takes logins.'),
  ({ stores }) => {
    if (stores === undefined) return undefined;
    const troubled = (['failed', 'restricted'] as const).filter((status) => stores.connections.has(status));
    return troubled.length === 0
      ? good('No connection is failed or restricted.')
      : look(`Connections: ${troubled.map((status) => `${stores.connections.get(status)} ${status}`).join(', ')}.`);
  },
  ({ stores }) => {
    if (stores === undefined) return undefined;
    const dead = stores.queues.filter((queue) => queue.dead > 0);
    return dead.length === 0
      ? good('No dead letters.')
      : look(`Dead letters: ${dead.map((queue) => `${queue.dead} ${queue.kind}`).join(', ')}. See ops redrive.`);
  },
];

/** Judges a state. */
export function judgeHealth(state: State): readonly Finding[] {
  return checks.map((check) => check(state)).filter((finding) => finding !== undefined);
}

/** The findings, worst first, and what was not looked at. */
export function healthLines(state: State): readonly string[] {
  const order: readonly Verdict[] = ['bad', 'look', 'good'];
  const findings = [...judgeHealth(state)].sort(
    (left, right) => order.indexOf(left.verdict) - order.indexOf(right.verdict),
  );
  return [
    ...findings.map(({ verdict, sentence }) => `${verdict.padEnd(4)}  ${sentence}`),
    ...(state.stores === undefined ? ['-     Connections and queues were not read, because no --stage is named.'] : []),
  ];
}
