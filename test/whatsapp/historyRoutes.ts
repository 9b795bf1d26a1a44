import { historySchema } from './history.ts';
import type { Simulated } from './simulated.ts';
import type { Account } from './world.ts';

/** Routes of the control API for what phones tell of before. */
type Handler = (simulator: Simulated, parameters: readonly string[], body: unknown) => unknown;
type Route = readonly [method: string, path: RegExp, handler: Handler];
type Find = (simulator: Simulated, digits: string | undefined) => Account;

export function makeHistoryRoutes(find: Find): readonly Route[] {
  return [
    [
      'POST',
      /^\/phones\/(\d+)\/history$/,
      async (simulator, [digits], body) => ({
        devices: await simulator.phones.tellHistory(find(simulator, digits), historySchema.parse(body)),
      }),
    ],
    [
      'POST',
      /^\/phones\/(\d+)\/past$/,
      (simulator, [digits], body) => {
        simulator.phones.keepPast(find(simulator, digits), historySchema.parse(body));
        return {};
      },
    ],
  ];
}
