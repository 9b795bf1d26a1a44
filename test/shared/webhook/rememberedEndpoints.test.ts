import { describe, expect, it } from 'vitest';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { Secret } from '../../../shared/kernel/secret.ts';
import { CLOSED } from '../../../shared/webhook/endpointBreaker.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { RememberedEndpoints } from '../../../shared/webhook/rememberedEndpoints.ts';
import { makeTestClock } from '../event/testClock.ts';

const tenantId = makeId('tnt', 0, systemRandom);
const endpointId = makeId('end', 0, systemRandom);
const anEndpoint = (overrides: Partial<Endpoint> = {}): Endpoint => ({
  tenantId,
  endpointId,
  url: 'https://hooks.example/',
  events: undefined,
  state: 'active',
  secret: new Secret('whsec_AAAA'),
  breaker: CLOSED,
  createdAtMs: 0,
  ...overrides,
});

/** A store that answers when it is told to, with what it has at that moment. */
function aStore(stored: Endpoint | undefined) {
  const clock = makeTestClock();
  const waiting: (() => void)[] = [];
  const state = { stored, reads: 0, holds: false };
  const find = async (): Promise<Endpoint | undefined> => {
    state.reads += 1;
    const answer = state.stored;
    if (state.holds) await new Promise<void>((resolve) => waiting.push(resolve));
    return answer;
  };
  const known = new RememberedEndpoints({ find }, clock);
  return { state, clock, known, answer: () => waiting.splice(0).forEach((go) => go()) };
}

describe('endpoints that are remembered', () => {
  it('are read once a second while they are well', async () => {
    const { state, clock, known } = aStore(anEndpoint());

    await known.find(tenantId, endpointId);
    clock.advance(999);
    await known.find(tenantId, endpointId);
    const within = state.reads;
    clock.advance(1);
    await known.find(tenantId, endpointId);

    expect([within, state.reads]).toEqual([1, 2]);
  });

  it('are heard to be disabled or deleted after a second', async () => {
    const { state, clock, known } = aStore(anEndpoint());
    await known.find(tenantId, endpointId);

    state.stored = undefined;
    clock.advance(1_000);

    expect(await known.find(tenantId, endpointId)).toBeUndefined();
  });

  it.each<[string, Endpoint | undefined]>([
    ['disabled', anEndpoint({ state: 'disabled' })],
    ['with an open breaker', anEndpoint({ breaker: { failures: 5, openUntilMs: 9_999_999_999_999 } })],
    ['with a breaker whose trial is due', anEndpoint({ breaker: { failures: 5, openUntilMs: 1 } })],
    ['with a failure', anEndpoint({ breaker: { failures: 1, openUntilMs: undefined } })],
    ['gone', undefined],
  ])('are read each time while they are not well: %s', async (_what, stored) => {
    const { state, known } = aStore(stored);

    await known.find(tenantId, endpointId);
    state.stored = anEndpoint();

    expect((await known.find(tenantId, endpointId))?.breaker).toEqual(CLOSED);
    expect(state.reads).toBe(2);
  });

  it('are read once for all who ask at the same time', async () => {
    const { state, known, answer } = aStore(anEndpoint());
    state.holds = true;

    const asked = [known.find(tenantId, endpointId), known.find(tenantId, endpointId)];
    answer();

    expect(await Promise.all(asked)).toHaveLength(2);
    expect(state.reads).toBe(1);
  });

  it('are not remembered from a read that began before a change of our own', async () => {
    const { state, known, answer } = aStore(anEndpoint());
    state.holds = true;
    const before = known.find(tenantId, endpointId);

    state.stored = anEndpoint({ breaker: { failures: 1, openUntilMs: undefined } });
    known.forget({ tenantId, endpointId });
    answer();
    await before;
    state.holds = false;

    expect((await known.find(tenantId, endpointId))?.breaker.failures).toBe(1);
  });

  it('are not remembered from a read that failed', async () => {
    const find = [() => Promise.reject(new Error('the store is gone')), () => Promise.resolve(anEndpoint())];
    const known = new RememberedEndpoints(
      { find: () => (find.shift() ?? (() => Promise.resolve(undefined)))() },
      makeTestClock(),
    );

    await expect(known.find(tenantId, endpointId)).rejects.toThrow('gone');

    expect(await known.find(tenantId, endpointId)).toBeDefined();
  });

  it('are those of their tenant', async () => {
    const { state, known } = aStore(anEndpoint());
    await known.find(tenantId, endpointId);

    await known.find(makeId('tnt', 1, systemRandom), endpointId);

    expect(state.reads).toBe(2);
  });
});
