import { vi } from 'vitest';

/** As long as what is waited for may take on a machine whose cores are busy with something else. A test that fails takes this long. */
export const PATIENCE_MS = 60_000;

/** Looks again until the assertions of `look` hold, every `everyMs`. Throws what the last look threw, when the patience is over. */
export function eventually<Value>(look: () => Value | Promise<Value>, everyMs = 25): Promise<Value> {
  return vi.waitFor(look, { timeout: PATIENCE_MS, interval: everyMs });
}
