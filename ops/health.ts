import { forTerminal } from '../shared/kernel/forTerminal.ts';
import type { ConnectionHealth } from './readHealth.ts';
import type { State } from './readState.ts';
import { counted, span } from './sentence.ts';
import { ableWorkers } from './status.ts';

export type Verdict = 'good' | 'look' | 'bad';

/**
 * One thing that was checked. `bad`: customers feel it or soon will. `look`: a person should look at it, at some time.
 */
export interface Finding {
  readonly verdict: Verdict;
  readonly sentence: string;
}

/** The number of connections that are named one by one, so that the output fits on one screen. */
const CONNECTIONS_NAMED = 10;
/**
 * The time in milliseconds without a stored event after which ingest stands still: while events wait, some are stored
 * all the time.
 */
const STANDSTILL_MS = 60_000;

const good = (sentence: string): Finding => ({ verdict: 'good', sentence });
const look = (sentence: string): Finding => ({ verdict: 'look', sentence });
const bad = (sentence: string): Finding => ({ verdict: 'bad', sentence });

/** Everything that `health` checks, one function each. A part of the state that was not read gives no finding. */
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
      ? good(
          fleet.shards.length === 1
            ? 'The only shard has an owner.'
            : `All ${fleet.shards.length} shards have an owner.`,
        )
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
  ({ connections }) => {
    const troubled = connections.filter(({ attention }) => attention !== 'good').length;
    if (troubled > 0) return undefined;
    if (connections.length === 0) return good('There is no connection yet.');
    const only = 'The only connection does its work.';
    return good(connections.length === 1 ? only : `All ${connections.length} connections do their work.`);
  },
  ({ events, readAtMs }) => {
    if (events === undefined) return good('No event has come within the hour.');
    const since = span(readAtMs - Date.parse(events.measuredAt));
    const lag = `Events lay in their queue for ${span(events.lagMs)} before they were stored, ${since} ago`;
    return events.late ? bad(`${lag}: customers hear late of what happens.`) : good(`${lag}.`);
  },
  ({ queues, events, readAtMs }) => {
    const waiting = queues?.find(({ kind }) => kind === 'events')?.waiting ?? 0;
    const storedMs = events === undefined ? Infinity : readAtMs - Date.parse(events.measuredAt);
    if (waiting === 0 || storedMs < STANDSTILL_MS) return undefined;
    return bad(
      `Events wait in their queue (${waiting}), and none was stored for ${storedMs === Infinity ? 'an hour' : span(storedMs)}.`,
    );
  },
  ({ queues }) => {
    if (queues === undefined) return undefined;
    const dead = queues.filter((queue) => queue.dead > 0);
    return dead.length === 0
      ? good('No dead letters.')
      : look(`Dead letters: ${dead.map((queue) => `${queue.dead} ${queue.kind}`).join(', ')}. See ops redrive.`);
  },
];

/**
 * Judges a state. Each connection that is not as it should be is a finding of its own; out of many, the worst are
 * named.
 */
export function judgeHealth(state: State): readonly Finding[] {
  const found = checks.map((check) => check(state)).filter((finding) => finding !== undefined);
  return [...found, ...connectionFindings(state.connections)];
}

function connectionFindings(connections: readonly ConnectionHealth[]): readonly Finding[] {
  const troubled = connections.filter(({ attention }) => attention !== 'good');
  const named = troubled.slice(0, CONNECTIONS_NAMED).map((connection): Finding => ({
    verdict: connection.attention,
    sentence: `${nameOf(connection)}: ${connection.status.replaceAll('_', ' ')}. ${connection.reason}${untilOf(connection)}`,
  }));
  const rest = troubled.slice(CONNECTIONS_NAMED);
  if (rest.length === 0) return named;
  const verdict = rest.some(({ attention }) => attention === 'bad') ? 'bad' : 'look';
  return [...named, { verdict, sentence: `And ${counted(rest.length, 'more connection')}; /ops lists all of them.` }];
}

/** The name of a connection, `Shop of Acme (con_…)`: people know the label, and everything else knows the id. */
function nameOf({ id, label, tenantName }: ConnectionHealth): string {
  const known = [...(label === undefined ? [] : [label]), ...(tenantName === undefined ? [] : [`of ${tenantName}`])];
  return known.length === 0 ? id : `${known.join(' ')} (${id})`;
}

function untilOf({ sendsPaused }: ConnectionHealth): string {
  return sendsPaused === undefined ? '' : ` The next try is at ${sendsPaused.until.slice(11, 19)} UTC.`;
}

/** The findings, worst first, and a list of what was not checked. */
export function healthLines(state: State): readonly string[] {
  const order: readonly Verdict[] = ['bad', 'look', 'good'];
  const findings = [...judgeHealth(state)].sort(
    (left, right) => order.indexOf(left.verdict) - order.indexOf(right.verdict),
  );
  return [
    ...findings.map(({ verdict, sentence }) => `${verdict.padEnd(4)}  ${forTerminal(sentence)}`),
    ...(state.queues === undefined ? ['-     Queues were not read, because no --stage is named.'] : []),
  ];
}
