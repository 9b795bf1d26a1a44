import { describe, expect, it } from 'vitest';
import type { ShardView } from '../../../shared/fleet/fleetView.ts';
import { decideShard, type Belief } from '../../../worker/fleet/shardDecision.ts';
import { aLease, aWorkerId } from './views.ts';

const me = aWorkerId(1);
const leases = [aLease(1), aLease(2), aLease(3, { state: 'DEAD' }), aLease(4, { state: 'DRAINING' })];
const row = (owner: number | undefined, epoch: number, next?: number): ShardView => ({
  shard: 0,
  owner: owner === undefined ? undefined : aWorkerId(owner),
  epoch,
  next: next === undefined ? undefined : aWorkerId(next),
});
const believing = (epoch: number | undefined, mayClaim = false): Belief => ({ me, epoch, mayClaim });

describe('what a worker does about a shard', () => {
  it.each<[what: string, row: ShardView, belief: Belief, decision: string]>([
    ['nothing, when it holds what the row says', row(1, 3), believing(3), 'none'],
    ['takes what names it and is not held', row(1, 3), believing(undefined), 'take'],
    ['loses what has another epoch', row(1, 4), believing(3), 'lose'],
    ['loses what has another owner', row(2, 4), believing(3), 'lose'],
    ['loses what has no owner any more', row(undefined, 4), believing(3), 'lose'],
    ['gives what is promised to a living worker', row(1, 3, 2), believing(3), 'give'],
    ['keeps what is promised to a dead one', row(1, 3, 3), believing(3), 'none'],
    ['keeps what is promised to one that drains', row(1, 3, 4), believing(3), 'none'],
    ['keeps what is promised to nobody known', row(1, 3, 9), believing(3), 'none'],
    ['keeps what is promised to itself', row(1, 3, 1), believing(3), 'none'],
    ['claims what was never owned, if told to', row(undefined, 0), believing(undefined, true), 'claim'],
    ['claims what belongs to the dead, if told to', row(3, 5), believing(undefined, true), 'claim'],
    ['claims what belongs to one without a lease, if told to', row(9, 5), believing(undefined, true), 'claim'],
    ['leaves orphans alone that it was not told of', row(3, 5), believing(undefined), 'none'],
    ['never claims from the living, whatever it was told', row(2, 5), believing(undefined, true), 'none'],
    ['never claims from who drains', row(4, 5), believing(undefined, true), 'none'],
  ])('%s', (_what, view, belief, decision) => {
    expect(decideShard(view, { leases }, belief).decision).toBe(decision);
  });

  it('says to whom it gives', () => {
    expect(decideShard(row(1, 3, 2), { leases }, believing(3))).toMatchObject({ to: { workerId: aWorkerId(2) } });
  });
});
