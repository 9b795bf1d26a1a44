import { z } from 'zod';
import { demandSchema } from './passkeys.ts';
import { Refused } from './refused.ts';
import type { Simulated } from './simulated.ts';
import type { Account } from './world.ts';

type Handler = (simulator: Simulated, parameters: readonly string[], body: unknown) => unknown;
type Route = readonly [method: string, path: RegExp, handler: Handler];

const signSchema = z.strictObject({ origin: z.url().optional() });

/** How a test gives an account a passkey, signs with it, and looks at the phone. */
export function makePasskeyRoutes(
  find: (simulator: Simulated, digits: string | undefined) => Account,
): readonly Route[] {
  const waiting = <Found>(found: Found | undefined): Found => {
    if (found === undefined) throw new Refused(404, 'No linking waits for a passkey of this account.');
    return found;
  };
  return [
    [
      'POST',
      /^\/phones\/(\d+)\/passkey$/,
      (simulator, [digits], body) => {
        simulator.pairing.passkeys.demand(find(simulator, digits), demandSchema.parse(body));
        return {};
      },
    ],
    [
      'POST',
      /^\/phones\/(\d+)\/passkey\/sign$/,
      (simulator, [digits], body) =>
        waiting(simulator.pairing.passkeys.sign(find(simulator, digits), signSchema.parse(body).origin)),
    ],
    [
      'GET',
      /^\/phones\/(\d+)\/passkey\/key$/,
      (simulator, [digits]) => waiting(simulator.pairing.passkeys.exported(find(simulator, digits))),
    ],
    [
      'GET',
      /^\/phones\/(\d+)\/passkey$/,
      (simulator, [digits]) => waiting(simulator.pairing.passkeys.shown(find(simulator, digits))),
    ],
  ];
}
