import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { leaseKey, markTaskDead } from '../../../shared/fleet/fleetLease.ts';
import { GateClosedError } from '../../../worker/fleet/gate.ts';
import { until } from '../../whatsapp/until.ts';
import { startFleets, timings, type Fault, type FaultyStore, type TestMember } from './members.ts';

const SHARDS = [0, 1, 2, 3];
const shardsOf = (member: TestMember): readonly number[] => [...member.ownedShards().keys()].sort((a, b) => a - b);
const ownsAll = (member: TestMember): Promise<unknown> =>
  until(
    'all shards',
    () => shardsOf(member),
    (shards) => shards.length === SHARDS.length,
  );
const split = (...members: readonly TestMember[]): Promise<unknown> =>
  until(
    'all shards owned',
    () => members.flatMap(shardsOf),
    (shards) => shards.length === SHARDS.length,
  );

describe('fleet members', () => {
  let fleets: Awaited<ReturnType<typeof startFleets>>;
  beforeAll(async () => {
    fleets = await startFleets();
  });
  beforeEach(() => fleets.newStage());
  afterEach(() => fleets.stopMembers());
  afterAll(() => fleets.stop());

  const aMember: typeof fleets.aMember = (overrides) => fleets.aMember(overrides);
  const leaseOf = async ({ own }: TestMember): Promise<Record<string, unknown> | undefined> => {
    const Key = leaseKey(own.taskId, own.workerId);
    const answer = await fleets.table.send(
      new GetCommand({ TableName: `${fleets.stage()}-fleet`, Key, ConsistentRead: true }),
    );
    return answer.Item;
  };
  const owners = async (): Promise<readonly unknown[]> =>
    (await fleets.store().read(SHARDS.length)).shards.map(({ owner, epoch }) => [owner, epoch]);

  it('own all shards when they start alone, after about three looks at the fleet', async () => {
    const member = await aMember();

    await ownsAll(member);

    expect(member.store.calls.filter((call) => call === 'read').length).toBeLessThanOrEqual(4);
    expect([...member.ownedShards()].sort(([a], [b]) => a - b)).toEqual(SHARDS.map((shard) => [shard, 1]));
    expect(await owners()).toEqual(SHARDS.map(() => [member.own.workerId, 1]));
    expect(member.gate.isOpen()).toBe(true);
  });

  it('split the shards evenly when they start together', async () => {
    const members = await Promise.all([aMember(), aMember()]);

    await split(...members);

    expect(members.map((member) => member.ownedShards().size)).toEqual([2, 2]);
    expect(members.flatMap(shardsOf).sort((a, b) => a - b)).toEqual(SHARDS);
  });

  it('wait a little before the first plan, so that one who comes right after the election gets a share', async () => {
    const config = { heartbeatMs: 400 };
    const first = await aMember({ config });
    await until(
      'the election',
      () => first.store.answered.includes('lead'),
      (elected) => elected,
    );
    const second = await aMember({ config });

    await split(first, second);

    expect([first, second].map((member) => member.ownedShards().size)).toEqual([2, 2]);
  });

  it('take over from one that fell silent, with higher epochs, once its gate has closed', async () => {
    const gatesAtClaim: boolean[] = [];
    const silent = await aMember();
    await ownsAll(silent);
    const other = await aMember({
      onClaimed: async () => void gatesAtClaim.push(silent.gate.isOpen()),
    });

    await silent.stop();
    await ownsAll(other);

    expect([...other.ownedShards().values()]).toEqual([2, 2, 2, 2]);
    expect(gatesAtClaim).toEqual([false, false, false, false]);
    expect(await leaseOf(silent)).toMatchObject({ state: 'DEAD', proof: 'observed' });
  });

  it('take over at once from one whose task is known to be stopped', async () => {
    const killed = await aMember();
    await ownsAll(killed);
    const other = await aMember({ config: { fenceMs: 50_000, deathMs: 60_000 } });
    await killed.stop();

    await markTaskDead({ table: fleets.table, stage: fleets.stage() }, killed.own.taskId, Date.now());
    await ownsAll(other);

    expect([...other.ownedShards().values()]).toEqual([2, 2, 2, 2]);
    expect(other.metrics.totalOf('ClaimsWon')).toBe(SHARDS.length);
    expect(other.metrics.totalOf('LeaderChanges')).toBe(1);
  });

  it('count each death that is known from elsewhere once, if they lead', async () => {
    const leader = await aMember();
    await ownsAll(leader);
    const other = await aMember();
    await other.stop();

    await markTaskDead({ table: fleets.table, stage: fleets.stage() }, other.own.taskId, Date.now());
    await until(
      'the count',
      () => leader.metrics.totalOf('WorkersDead', { proof: 'stopped' }),
      (count) => count > 0,
    );
    const looks = leader.store.calls.length;
    await until(
      'more looks',
      () => leader.store.calls.length,
      (count) => count > looks + 10,
    );

    expect(leader.metrics.totalOf('WorkersDead', { proof: 'stopped' })).toBe(1);
  });

  it('share out the shards of one that fell silent', async () => {
    const members = await Promise.all([aMember(), aMember(), aMember()]);
    await split(...members);
    const [silent, ...others] = members;

    await silent?.stop();
    await split(...others);

    expect(others.map((member) => member.ownedShards().size).sort((a, b) => a - b)).toEqual([2, 2]);
  });

  const patient = { fenceMs: 50_000, deathMs: 60_000 };

  it('give each shard on drain once its work has ended, without waiting for a death', async () => {
    const rows: unknown[] = [];
    const first = await aMember({
      config: patient,
      onLeaving: async (shard) => void rows.push((await owners())[shard]),
    });
    await ownsAll(first);
    const second = await aMember({ config: patient });

    await first.drain();
    const afterDrain = shardsOf(first);
    await ownsAll(second);

    // Each shard was still the first one's when its work ended, and nobody's in no moment.
    expect(rows).toEqual(SHARDS.map(() => [first.own.workerId, 1]));
    expect(afterDrain).toEqual([]);
    expect([...second.ownedShards().values()]).toEqual([2, 2, 2, 2]);
    expect(await leaseOf(first)).toMatchObject({ state: 'DEAD', proof: 'clean' });
    expect(first.gate.isOpen()).toBe(false);
    expect([first.fenced(), first.broken]).toEqual([0, []]);
  });

  it('take a shard within a few looks at its row after it was given', async () => {
    const [givenAt, takenAt] = [new Map<number, number>(), new Map<number, number>()];
    const first = await aMember({ config: patient, onLeaving: async (shard) => void givenAt.set(shard, Date.now()) });
    await ownsAll(first);
    const second = await aMember({
      config: { ...patient, heartbeatMs: 1_000 },
      onClaimed: async (shard) => void takenAt.set(shard, Date.now()),
    });

    await first.drain();
    await ownsAll(second);

    // Far less than the second between two heartbeats of the one that takes it.
    const gaps = SHARDS.map((shard) => (takenAt.get(shard) ?? Infinity) - (givenAt.get(shard) ?? 0));
    expect(gaps.filter((gapMs) => gapMs > 500)).toEqual([]);
  });

  it('give each shard as soon as its work has ended, while that of another still lasts', async () => {
    const first = await aMember({
      config: patient,
      onLeaving: async (shard) => {
        if (shard === 3)
          await until(
            'the others',
            () => shardsOf(second),
            (shards) => shards.length === 3,
          );
      },
    });
    await ownsAll(first);
    const second = await aMember({ config: patient });

    await first.drain();
    await ownsAll(second);

    expect(second.claimed.map(([shard]) => shard).at(-1)).toBe(3);
  });

  it('say that they drain before they let go, and release everything at once when nobody else is there', async () => {
    const states: unknown[] = [];
    const member = await aMember({ onLeaving: async () => void states.push((await leaseOf(member))?.['state']) });
    await ownsAll(member);

    await member.drain();

    expect(states).toEqual(SHARDS.map(() => 'DRAINING'));
    expect(await owners()).toEqual(SHARDS.map(() => [undefined, 2]));
    expect(member.claimed).toHaveLength(SHARDS.length);
  });

  it('release what nobody takes before their time is up', async () => {
    const config = { ...patient, drainTimeoutMs: 2_000 };
    const first = await aMember({ config });
    await ownsAll(first);
    // Alive by its lease, and deaf.
    const other = await aMember({ config });
    await other.stop();

    await first.drain();

    expect(await owners()).toEqual(SHARDS.map(() => [undefined, 2]));
    expect(await leaseOf(first)).toMatchObject({ state: 'DEAD', proof: 'clean' });
  });

  it('keep a shard whose offer was withdrawn while its work ended, and begin its work again', async () => {
    const withdrawn = new Set<number>();
    // No leader offers such a shard anew before its owner has learned that the first offer is gone.
    const prepare = (store: FaultyStore): void => {
      const offer = store.offer.bind(store);
      store.offer = (row, target) => {
        const isLearned = first.claimed.filter(([shard]) => shard === row.shard).length > 1;
        return withdrawn.has(row.shard) && !isLearned ? Promise.resolve('refused') : offer(row, target);
      };
    };
    const first: TestMember = await aMember({
      config: patient,
      prepare,
      onLeaving: async (shard) => {
        const [row] = (await fleets.store().readShards([shard])).shards;
        if (row === undefined) throw new Error('no row');
        // A shard that leaves before the other one is seen is released, and has no offer.
        if (withdrawn.has(shard) || row.next === undefined) return;
        withdrawn.add(shard);
        if ((await fleets.store().withdraw(row)) === 'refused') withdrawn.delete(shard);
      },
    });
    await ownsAll(first);
    const second = await aMember({ config: patient, prepare });

    await first.drain();
    await ownsAll(second);

    const claims = (shard: number): number => first.claimed.filter(([claimed]) => claimed === shard).length;
    expect(withdrawn.size).toBeGreaterThan(0);
    expect(SHARDS.map(claims)).toEqual(SHARDS.map((shard) => (withdrawn.has(shard) ? 2 : 1)));
    expect(first.broken).toEqual([]);
  });

  it('reject a drain whose work does not end in time, and keep the lease and that shard', async () => {
    const member = await aMember({
      config: { drainTimeoutMs: 500 },
      onLeaving: (shard) => (shard === 2 ? new Promise(() => undefined) : Promise.resolve()),
    });
    await ownsAll(member);

    await expect(member.drain()).rejects.toThrow('draining the worker did not finish within 500 ms');
    expect(shardsOf(member)).toEqual([2]);
    expect(await leaseOf(member)).toMatchObject({ state: 'DRAINING' });
  });

  it('break when the work of a shard fails to end, because its sockets may still be open', async () => {
    const member = await aMember({
      config: { drainTimeoutMs: 500 },
      onLeaving: (shard) => (shard === 1 ? Promise.reject(new Error('not flushed')) : Promise.resolve()),
    });
    await ownsAll(member);

    await expect(member.drain()).rejects.toThrow('draining the worker');
    expect(member.broken).toEqual([new Error('not flushed')]);
    expect(shardsOf(member)).toEqual([1]);
    expect((await owners())[1]).toEqual([member.own.workerId, 1]);
  });

  it('move their shards to a newer generation when it comes, each once', async () => {
    const old = await aMember({ config: patient, deployGeneration: 1 });
    await ownsAll(old);
    const young = await aMember({ config: patient, deployGeneration: 2 });
    await ownsAll(young);
    const { size } = old.ownedShards();
    await old.drain();

    expect(size).toBe(0);
    expect([...young.ownedShards().values()]).toEqual([2, 2, 2, 2]);
  });

  it('look at the whole fleet only if they lead or are the deputy', async () => {
    const members: TestMember[] = [];
    for (let count = 0; count < 4; count += 1) members.push(await aMember({ config: patient }));
    await split(...members);
    const { leadership } = await fleets.store().read(0);
    const looksOf = (member: TestMember): number => member.store.calls.filter((call) => call === 'read').length;
    const others = members.filter(
      ({ own }) => own.workerId !== leadership.leader && own.workerId !== leadership.deputy,
    );
    const before = others.map(looksOf);
    const [leader] = members.filter(({ own }) => own.workerId === leadership.leader);
    if (leader === undefined) throw new Error('nobody leads');
    const seen = looksOf(leader);

    await until(
      'looks of the leader',
      () => looksOf(leader),
      (count) => count >= seen + 5,
    );

    expect(others).toHaveLength(2);
    expect(others.map(looksOf)).toEqual(before);
  });

  it('write nothing but heartbeats at rest: a deputy is named when it comes and when it goes', async () => {
    const leader = await aMember({ config: patient });
    await ownsAll(leader);
    const deputyIs = (workerId: string | undefined) =>
      until(
        'the deputy',
        async () => (await fleets.store().read(0)).leadership.deputy,
        (deputy) => deputy === workerId,
      );
    const namings = (): number => leader.store.answered.filter((call) => call === 'deputy').length;
    const before = namings();
    const deputy = await aMember({ config: patient });
    await deputyIs(deputy.own.workerId);
    const looks = leader.store.answered.filter((call) => call === 'read').length;
    await until(
      'looks of the leader',
      () => leader.store.answered.filter((call) => call === 'read').length,
      (count) => count >= looks + 5,
    );
    const atRest = namings();
    await deputy.stop();
    await markTaskDead({ table: fleets.table, stage: fleets.stage() }, deputy.own.taskId, Date.now());
    await deputyIs(undefined);

    expect([before, atRest]).toEqual([0, 1]);
  });

  it('are led by the deputy as soon as the leader is known to be dead', async () => {
    const members = await Promise.all([aMember({ config: patient }), aMember({ config: patient })]);
    await split(...members);
    const { leadership } = await fleets.store().read(0);
    const leader = members.find(({ own }) => own.workerId === leadership.leader);
    const deputy = members.find(({ own }) => own.workerId === leadership.deputy);
    if (leader === undefined || deputy === undefined) throw new Error('nobody leads');
    await leader.stop();

    await markTaskDead({ table: fleets.table, stage: fleets.stage() }, leader.own.taskId, Date.now());
    await ownsAll(deputy);

    expect((await fleets.store().read(0)).leadership.leader).toBe(deputy.own.workerId);
  });

  it('are told when an operator wants them to drain', async () => {
    const member = await aMember();

    await fleets.table.send(
      new UpdateCommand({
        TableName: `${fleets.stage()}-fleet`,
        Key: leaseKey(member.own.taskId, member.own.workerId),
        UpdateExpression: 'SET drainRequested = :yes',
        ExpressionAttributeValues: { ':yes': true },
      }),
    );

    await until('the request', member.drainRequests, (count) => count > 0);
    expect(member.fenced()).toBe(0);
  });

  it('are fenced once when their lease is dead, and write nothing more', async () => {
    const member = await aMember();
    await ownsAll(member);

    await markTaskDead({ table: fleets.table, stage: fleets.stage() }, member.own.taskId, Date.now());
    await until('the fence', member.fenced, (count) => count === 1);
    const lease = await leaseOf(member);
    const callsAtFence = member.store.calls.length;
    const drained = member.drain();

    await expect(drained).rejects.toThrow(GateClosedError);
    expect(member.gate.timeLeftMs()).toBe(0);
    expect(shardsOf(member)).toEqual([]);
    expect(member.fenced()).toBe(1);
    expect(member.store.calls.slice(callsAtFence)).toEqual([]);
    expect(await leaseOf(member)).toEqual(lease);
    expect(await owners()).toEqual(SHARDS.map(() => [member.own.workerId, 1]));
  });

  it('are fenced by a look at the fleet as well as by a heartbeat, and claim none of their own shards again', async () => {
    const member = await aMember();
    await ownsAll(member);
    member.store.faults.set('heartbeat', Array<Fault>(1_000).fill('away'));

    await markTaskDead({ table: fleets.table, stage: fleets.stage() }, member.own.taskId, Date.now());
    await until('the fence', member.fenced, (count) => count === 1);

    expect(member.gate.isOpen()).toBe(false);
    expect(await owners()).toEqual(SHARDS.map(() => [member.own.workerId, 1]));
  });

  it('put no new owner in the place of many that look dead at once, except where death is proven', async () => {
    const members = await Promise.all([aMember(), aMember(), aMember(), aMember()]);
    await split(...members);
    const [watching, ...silent] = members;
    const [proven] = silent;
    if (watching === undefined || proven === undefined) throw new Error('no members');

    await Promise.all(silent.map((member) => member.stop()));
    await until(
      'the brake',
      () => watching.logged.join(),
      (text) => text.includes('many workers look dead'),
    );
    await markTaskDead({ table: fleets.table, stage: fleets.stage() }, proven.own.taskId, Date.now());
    await until(
      'the proven one',
      () => watching.ownedShards().size,
      (count) => count >= 2,
    );
    const states = await Promise.all(silent.map(async (member) => (await leaseOf(member))?.['state']));

    expect(states).toEqual(['DEAD', 'ALIVE', 'ALIVE']);
    expect(watching.ownedShards().size).toBe(2);
  });

  describe('when the store answers badly', () => {
    it('find a claim that was taken although its answer was lost', async () => {
      const member = await aMember({ prepare: (store) => store.faults.set('claim', ['lost']) });

      await ownsAll(member);

      expect(member.claimed.map(([shard]) => shard).sort((a, b) => a - b)).toEqual(SHARDS);
      expect([...member.ownedShards().values()]).toEqual([1, 1, 1, 1]);
    });

    it('lead although the answer of their election was lost', async () => {
      const member = await aMember({ prepare: (store) => store.faults.set('lead', ['lost']) });

      await ownsAll(member);

      expect((await fleets.store().read(0)).leadership.leader).toBe(member.own.workerId);
    });

    it('finish a drain although answers of releases were lost or did not come', async () => {
      const member = await aMember({ config: { heartbeatTimeoutMs: 50 } });
      await ownsAll(member);
      member.store.faults.set('release', ['lost', 'away', 'lost', 'away', 'away']);

      await member.drain();

      expect(await owners()).toEqual(SHARDS.map(() => [undefined, 2]));
      expect(await leaseOf(member)).toMatchObject({ state: 'DEAD', proof: 'clean' });
    });

    it('end a drain that cannot finish when they are stopped', async () => {
      const member = await aMember();
      await ownsAll(member);
      member.store.isAway = true;

      const readsBefore = member.store.calls.filter((call) => call === 'read').length;
      const drained = member.drain().catch((error: unknown) => error);
      await until(
        'tries',
        () => member.store.calls.filter((call) => call === 'read').length,
        (count) => count > readsBefore + 3,
      );
      await member.stop();

      expect(await drained).toBeInstanceOf(GateClosedError);
    });

    it('count the gate from when a heartbeat was sent, however late its answer comes', async () => {
      const member = await aMember({
        prepare: (store) => {
          store.slowHeartbeatMs = 300;
        },
      });

      await until(
        'an answer',
        () => member.store.answered.includes('heartbeat'),
        (answered) => answered,
      );

      expect(member.gate.timeLeftMs()).toBeLessThanOrEqual(timings.fenceMs - 299);
    });

    it('claim nothing while their heartbeats are not answered', async () => {
      const member = await aMember({
        config: { fenceMs: 300, orphanClaimMs: 500 },
        prepare: (store) => {
          store.neverLeads = true;
          store.faults.set('heartbeat', Array<Fault>(1_000).fill('away'));
        },
      });

      await until(
        'looks',
        () => member.store.answered.filter((call) => call === 'read').length,
        (count) => count > 9,
      );

      expect(member.claimed).toEqual([]);
      expect(await owners()).toEqual(SHARDS.map(() => [undefined, 0]));
    });

    it('close the gate while it is away and open it again after, with all their shards', async () => {
      const config = { fenceMs: 400, deathMs: 20_000 };
      const member = await aMember({ config });
      await ownsAll(member);

      member.store.isAway = true;
      await until(
        'the closed gate',
        () => member.gate.isOpen(),
        (open) => !open,
      );
      const whileAway = shardsOf(member);
      member.store.isAway = false;
      await until(
        'the open gate',
        () => member.gate.isOpen(),
        (open) => open,
      );

      expect(whileAway).toEqual(SHARDS);
      expect(shardsOf(member)).toEqual(SHARDS);
      expect(member.claimed).toHaveLength(SHARDS.length);
      expect(member.fenced()).toBe(0);
    });

    it('declare nobody dead when it comes back after a time longer than a death', async () => {
      const config = { heartbeatMs: 50, fenceMs: 400, deathMs: 800 };
      const members = await Promise.all([aMember({ config }), aMember({ config })]);
      await split(...members);

      for (const { store } of members) store.isAway = true;
      await until(
        'closed gates',
        () => members.map(({ gate }) => gate.isOpen()),
        (open) => !open.includes(true),
      );
      const awayUntil = performance.now() + 2 * config.deathMs;
      await until(
        'a long time',
        () => performance.now(),
        (now) => now > awayUntil,
      );
      for (const { store } of members) store.isAway = false;
      await until(
        'open gates',
        () => members.map(({ gate }) => gate.isOpen()),
        (open) => !open.includes(false),
      );
      const reads = (): number =>
        Math.min(...members.map(({ store }) => store.calls.filter((c) => c === 'read').length));
      const readsNow = reads();
      await until('more looks', reads, (count) => count > readsNow + 4);

      expect(members.map((member) => member.fenced())).toEqual([0, 0]);
      expect(members.map((member) => member.ownedShards().size)).toEqual([2, 2]);
    });
  });

  it('give a shard back whose work does not begin, and try again', async () => {
    let failures = 1;
    const member = await aMember({
      onClaimed: async (shard) => {
        if (shard === 2 && failures-- > 0) throw new Error('no such queue');
      },
    });

    await ownsAll(member);
    // All of them are owned for a moment already before the one without work is given back.
    const claims = await until(
      'its second claim',
      () => member.claimed.filter(([shard]) => shard === 2),
      ({ length }) => length > 1,
    );

    expect(claims).toEqual([
      [2, 1],
      [2, 3],
    ]);
  });

  it('stop the work of a shard that another owns although their lease lives', async () => {
    const member = await aMember();
    await ownsAll(member);
    const other = await aMember();

    await fleets.table.send(
      new UpdateCommand({
        TableName: `${fleets.stage()}-fleet`,
        Key: { pk: 'SHARD#0002', sk: 'OWNER' },
        UpdateExpression: 'SET #owner = :other, ownerTask = :task, epoch = epoch + :one',
        ExpressionAttributeNames: { '#owner': 'owner' },
        ExpressionAttributeValues: { ':other': other.own.workerId, ':task': other.own.taskId, ':one': 1 },
      }),
    );
    await until(
      'the loss',
      () => member.lost.length,
      (count) => count === 1,
    );

    expect(member.lost).toEqual([2]);
    expect(shardsOf(member)).toEqual([0, 1, 3]);
  });

  it('notice by themselves that a shard is not theirs any more, also if they do not look at the whole fleet', async () => {
    const members: TestMember[] = [];
    for (let count = 0; count < 3; count += 1) members.push(await aMember({ config: patient, shardCount: 6 }));
    await until(
      'all shards owned',
      () => members.flatMap(shardsOf),
      (shards) => shards.length === 6,
    );
    const { leadership } = await until(
      'a deputy',
      () => fleets.store().read(0),
      (view) => view.leadership.deputy !== undefined,
    );
    const other = members.find(({ own }) => own.workerId !== leadership.leader && own.workerId !== leadership.deputy);
    const [shard] = other === undefined ? [] : shardsOf(other);
    if (other === undefined || shard === undefined) throw new Error('nobody is left who owns a shard');

    await fleets.table.send(
      new UpdateCommand({
        TableName: `${fleets.stage()}-fleet`,
        Key: { pk: `SHARD#000${shard}`, sk: 'OWNER' },
        UpdateExpression: 'SET epoch = epoch + :one',
        ExpressionAttributeValues: { ':one': 1 },
      }),
    );
    await until(
      'the loss',
      () => other.lost,
      (lost) => lost.length > 0,
    );

    expect(other.lost).toEqual([shard]);
  });

  it('claim orphans by themselves when nobody leads for too long', async () => {
    const member = await aMember({
      config: { orphanClaimMs: 300 },
      prepare: (store) => {
        store.neverLeads = true;
      },
    });

    await ownsAll(member);

    expect((await fleets.store().read(0)).leadership.leader).toBeUndefined();
  });

  it('start although the answer to their first write was lost and it was sent again', async () => {
    const member = await aMember({
      prepare: (store) => {
        const create = store.createLease.bind(store);
        store.createLease = async (lease, nowMs) => {
          await create(lease, nowMs);
          return create(lease, nowMs);
        };
      },
    });

    await ownsAll(member);

    expect(await leaseOf(member)).toMatchObject({ state: 'ALIVE' });
  });

  it('do not start when the store is away', async () => {
    const started = aMember({
      prepare: (store) => {
        store.createLease = () => Promise.reject(new Error('no answer'));
      },
    });

    await expect(started).rejects.toThrow('no answer');
  });
});
