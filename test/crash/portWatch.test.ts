import { beforeEach, describe, expect, it } from 'vitest';
import { PortWatch } from './portWatch.ts';

class Death extends Error {
  override readonly name = 'Death';
}

describe('the watch over the ports of a process', () => {
  let watch: PortWatch;
  let done: string[];
  const effect = (name: string) => async (): Promise<string> => {
    done.push(name);
    return name;
  };
  beforeEach(() => {
    done = [];
    watch = new PortWatch((): never => {
      throw new Death('here the process ends');
    });
  });

  it('counts the calls of each name from the moment it is armed', async () => {
    await watch.watch('store', effect('early'));
    watch.arm(undefined);
    await watch.watch('store', effect('first'));
    await watch.watch('queue', effect('queue'));
    await watch.watch('store', effect('second'));

    const calls = watch.disarm();
    await watch.watch('store', effect('late'));

    expect(calls).toEqual(['store#1', 'queue#1', 'store#2']);
    expect(done).toEqual(['early', 'first', 'queue', 'second', 'late']);
  });

  it('ends the process before the effect of the call that the plan names', async () => {
    watch.arm({ call: 'store#2', when: 'before' });
    await watch.watch('store', effect('first'));

    const dying = watch.watch('store', effect('second'));

    await expect(dying).rejects.toThrow(Death);
    expect(done).toEqual(['first']);
  });

  it.each<readonly [what: string, run: () => Promise<unknown>]>([
    ['answered', () => Promise.resolve()],
    ['failed', () => Promise.reject(new Error('refused'))],
  ])('ends the process after a call that has %s, before its caller knows', async (_what, run) => {
    watch.arm({ call: 'store#1', when: 'after' });

    const dying = watch.watch('store', run);

    await expect(dying).rejects.toThrow(Death);
  });

  it('does not count the end of a call that began before it was armed', async () => {
    const began = Promise.withResolvers<void>();
    const early = watch.watch('store', () => began.promise);
    watch.arm({ call: 'store#1', when: 'after' });

    began.resolve();

    await expect(early).resolves.toBeUndefined();
  });
});
