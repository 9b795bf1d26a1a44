import { describe, expect, it } from 'vitest';
import { GateClosedError } from '../../../../worker/fleet/gate.ts';
import { receiveDurably, sendDurably, withMark } from '../../../../worker/socket/signal/durableSteps.ts';
import { makeSwitchGate } from '../../fleet/gates.ts';

describe('sending durably', () => {
  it('commits nothing when the gate is closed before', async () => {
    const gate = makeSwitchGate();
    gate.close();
    let commits = 0;

    await expect(sendDurably(gate, async () => (commits += 1))).rejects.toThrow(GateClosedError);
    expect(commits).toBe(0);
  });

  it('hands out nothing when the gate closed while the commit was on its way', async () => {
    const gate = makeSwitchGate();

    const sent = sendDurably(gate, async () => {
      gate.close();
      return 'ciphertext';
    });

    await expect(sent).rejects.toThrow(GateClosedError);
  });
});

describe('receiving durably', () => {
  const steps = (failing?: string, isHandled = false) => {
    const done: string[] = [];
    const step = async (name: string): Promise<void> => {
      if (name === failing) throw new Error(name);
      done.push(name);
    };
    return {
      done,
      run: () =>
        receiveDurably({
          isHandled: async () => isHandled,
          decrypt: async () => {
            await step('decrypt');
            return 'plain';
          },
          publish: () => step('publish'),
          markHandled: () => step('mark'),
        }),
    };
  };

  it('decrypts, publishes, and only then stores the step and the mark', async () => {
    const { done, run } = steps();

    expect(await run()).toBe('plain');
    expect(done).toEqual(['decrypt', 'publish', 'mark']);
  });

  it('does nothing for a stanza that was handled', async () => {
    const { done, run } = steps(undefined, true);

    expect(await run()).toBe('handled');
    expect(done).toEqual([]);
  });

  it.each([
    ['decrypt', []],
    ['publish', ['decrypt']],
    ['mark', ['decrypt', 'publish']],
  ])('stops at a failure: %s', async (failing, expected) => {
    const { done, run } = steps(failing);

    await expect(run()).rejects.toThrow(failing);
    expect(done).toEqual(expected);
  });

  it('remembers the last 32 stanzas', () => {
    const ring = Array.from({ length: 40 }, (_, number) => String(number)).reduce(withMark, [] as readonly string[]);

    expect(ring).toHaveLength(32);
    expect(ring.at(-1)).toBe('39');
  });
});
