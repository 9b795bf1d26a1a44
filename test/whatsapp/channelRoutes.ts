import { z } from 'zod';
import type { Channel } from './channels.ts';
import type { Simulated } from './simulated.ts';
import type { Account } from './world.ts';

/** Routes of the control API for channels. */
type Handler = (simulator: Simulated, parameters: readonly string[], body: unknown) => unknown;
type Route = readonly [method: string, path: RegExp, handler: Handler];
/** A finder, which throws the API's refusal when there is no such phone. */
type Find = (simulator: Simulated, digits: string | undefined) => Account;

const channelSchema = z.strictObject({
  owner: z.string(),
  name: z.string().min(1).max(65_536),
  description: z.string().max(65_536).default(''),
});

export function makeChannelRoutes(find: Find): readonly Route[] {
  return [
    [
      'POST',
      /^\/channels$/,
      (simulator, _parameters, body) => {
        const { owner, name, description } = channelSchema.parse(body);
        return describe(simulator.channels.make(find(simulator, owner).number, name, description));
      },
    ],
    ['GET', /^\/channels$/, (simulator) => simulator.channels.all().map(describe)],
  ];
}

function describe({ followers, ...channel }: Channel) {
  return { ...channel, followers: [...followers] };
}
