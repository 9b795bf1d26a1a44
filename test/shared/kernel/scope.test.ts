import { EventEmitter } from 'node:events';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resourceKinds, Scope, type ResourceCounts } from '../../../shared/kernel/scope.ts';
import { FakeClock, settle } from '../../worker/runner/fakes.ts';

const nothing: ResourceCounts = { timer: 0, listener: 0, socket: 0, stream: 0, process: 0, scope: 0, other: 0 };

function aScope() {
  const clock = new FakeClock();
  const told: string[] = [];
  const say = (what: string) => (): void => void told.push(what);
  return { clock, told, say, scope: new Scope('test', clock) };
}

describe('a scope', () => {
  it('counts what it holds, here and below, by kind', async () => {
    const { scope, say } = aScope();
    const child = scope.child('below');

    scope.timeout(1_000, say('timer'));
    child.interval(1_000, say('interval'));
    child.listen(new EventEmitter(), 'event', say('event'));
    child.hold('socket', say('socket'));

    expect(scope.counts()).toEqual({ ...nothing, timer: 2, listener: 1, socket: 1, scope: 1 });
    await scope.close();
    expect(scope.counts()).toEqual(nothing);
  });

  it('calls a timeout once and then holds it no more', async () => {
    const { scope, clock, told, say } = aScope();
    scope.timeout(1_000, say('once'));

    await clock.pass(999);
    const before = [...told];
    await clock.pass(5_000);

    expect([before, told]).toEqual([[], ['once']]);
    expect(scope.counts()).toEqual(nothing);
  });

  it('calls an interval again only when its last call has ended', async () => {
    const { scope, clock } = aScope();
    const slow = Promise.withResolvers<void>();
    let calls = 0;
    scope.interval(1_000, async () => {
      calls += 1;
      if (calls === 2) await slow.promise;
    });

    await clock.pass(5_000);
    const whileSlow = calls;
    slow.resolve();
    await clock.pass(1_000);

    expect([whileSlow, calls]).toEqual([2, 3]);
    await scope.close();
  });

  it('hears an emitter until it is released, and leaves listeners of others alone', async () => {
    const { scope, told, say } = aScope();
    const emitter = new EventEmitter();
    emitter.on('event', say('other'));
    const release = scope.listen(emitter, 'event', (word: string) => told.push(word));
    scope.listen(emitter, 'event', (word: string) => told.push(`again ${word}`));

    emitter.emit('event', 'first');
    await release();
    emitter.emit('event', 'second');
    await scope.close();
    emitter.emit('event', 'third');

    expect(told).toEqual(['other', 'first', 'again first', 'other', 'again second', 'other']);
    expect(emitter.listenerCount('event')).toBe(1);
  });

  it('releases the newest first, and what is below before what it holds itself', async () => {
    const { scope, told, say } = aScope();
    scope.hold('other', say('first'));
    scope.hold('other', say('second'));
    scope.child('a').hold('other', say('in a'));
    scope.child('b').hold('other', say('in b'));

    await scope.close();

    expect(told).toEqual(['in b', 'in a', 'second', 'first']);
  });

  it('ends all timers, below too, before anything is waited for', () => {
    const { scope, clock, say } = aScope();
    scope.timeout(1_000, say('here'));
    scope.child('below').interval(1_000, say('below'));
    scope.hold('other', () => new Promise(() => undefined));

    void scope.close();

    expect(clock.sleeping).toBe(0);
    expect(scope.signal.aborted).toBe(true);
  });

  it('lets no release keep the others: neither one that throws nor one that hangs; the close tells of both', async () => {
    const { scope, clock, told, say } = aScope();
    scope.hold('other', say('first'));
    scope.hold('socket', () => Promise.reject(new Error('it fails')));
    scope.hold('stream', () => new Promise(() => undefined));
    scope.hold('other', say('last'));

    const closing = scope.close().catch((error: unknown) => error);
    await settle();
    await clock.pass(10_000);
    const failure = (await closing) as SuppressedError;

    expect(told).toEqual(['last', 'first']);
    expect([failure.error, failure.suppressed].map((error) => (error as Error).message)).toEqual([
      'it fails',
      'releasing a stream of test did not finish within 10000 ms',
    ]);
  });

  it('releases each resource once, however often it is asked', async () => {
    const { scope, told, say } = aScope();
    const release = scope.hold('other', say('released'));

    await release();
    await Promise.all([scope.close(), scope.close(), release()]);
    await scope.close();

    expect(told).toEqual(['released']);
  });

  it('is forgotten by its parent once it is closed', async () => {
    const { scope } = aScope();
    const child = scope.child('below');

    await child.close();

    expect(scope.counts()).toEqual(nothing);
    expect(scope.isClosed).toBe(false);
  });

  it('releases at once what comes late, and lets nothing of it begin', async () => {
    const { scope, clock, told, say } = aScope();
    const emitter = new EventEmitter();
    await scope.close();

    const child = scope.child('late');
    for (const closed of [scope, child]) {
      closed.timeout(0, say('timer'));
      closed.interval(1, say('interval'));
      closed.listen(emitter, 'event', say('event'));
      closed.hold('socket', say('released'));
    }
    await clock.pass(1_000);
    emitter.emit('event');

    expect(told).toEqual(['released', 'released']);
    expect([clock.sleeping, emitter.listenerCount('event')]).toEqual([0, 0]);
    expect([scope.counts(), child.counts()]).toEqual([nothing, nothing]);
  });

  it('closes at the end of the block that uses it', async () => {
    const { scope, told, say } = aScope();

    await (async () => {
      await using request = scope.child('request');
      request.hold('stream', say('released'));
    })();

    expect(told).toEqual(['released']);
  });

  it('always holds nothing after its close, whatever was done with it before', async () => {
    const anAction = fc.record({
      what: fc.constantFrom('timeout', 'interval', 'listen', 'hold', 'child', 'close child', 'release', 'pass'),
      which: fc.nat(9),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anAction, { maxLength: 40 }), async (actions) => {
        const clock = new FakeClock();
        const root = new Scope('root', clock);
        const scopes = [root];
        const emitter = new EventEmitter().setMaxListeners(100);
        const releases: (() => unknown)[] = [];
        let late = 0;
        const fire = (): void => void (late += 1);
        for (const { what, which } of actions) {
          const scope = scopes[which % scopes.length] ?? root;
          if (what === 'timeout') releases.push(scope.timeout(which * 100, fire));
          else if (what === 'interval') releases.push(scope.interval(which * 100 + 50, fire));
          else if (what === 'listen') releases.push(scope.listen(emitter, 'event', fire));
          else if (what === 'hold') releases.push(scope.hold('socket', () => undefined));
          else if (what === 'child') scopes.push(scope.child('child'));
          else if (what === 'close child') await scopes.at(-1)?.close();
          else if (what === 'release') await releases[which]?.();
          else await clock.pass(which * 60);
        }

        await root.close();
        late = 0;
        emitter.emit('event');
        await clock.pass(10_000);

        expect(root.counts()).toEqual(nothing);
        expect([late, clock.sleeping, emitter.listenerCount('event')]).toEqual([0, 0, 0]);
      }),
      { numRuns: 60 },
    );
  });

  it('names every kind that it counts', () => {
    expect(Object.keys(new Scope('empty').counts())).toEqual([...resourceKinds]);
  });
});
