import { z } from 'zod';
import { stanzaJson, toNode } from './rawRoutes.ts';
import type { Simulated } from './simulated.ts';
import { stamp } from './node.ts';
import type { Account } from './world.ts';

/** Routes of the control API for what owners show of themselves, and whom they block. */
type Handler = (simulator: Simulated, parameters: readonly string[], body: unknown) => unknown;
type Route = readonly [method: string, path: RegExp, handler: Handler];
/** A finder, which throws the API's refusal when there is no such phone. */
type Find = (simulator: Simulated, digits: string | undefined) => Account;

const profileSchema = z.strictObject({
  about: z.string().max(139).optional(),
  aboutIsHidden: z.boolean().optional(),
  /** A profile as the server gives it: `{tag: "profile", content: […]}`. */
  business: stanzaJson.optional(),
  presence: z.strictObject({ isAvailable: z.boolean(), last: z.string().optional() }).nullable().optional(),
});
export type ProfileBody = z.input<typeof profileSchema>;
const blockSchema = z.strictObject({ number: z.string(), action: z.enum(['block', 'unblock']) });

export function makeProfileRoutes(find: Find): readonly Route[] {
  return [
    [
      'POST',
      /^\/phones\/(\d+)\/profile$/,
      (simulator, [digits], body) => {
        const { about, aboutIsHidden, business, presence } = profileSchema.parse(body);
        const profile = simulator.profiles.of(find(simulator, digits).number);
        if (about !== undefined) profile.about = about === '' ? undefined : { text: about, at: stamp() };
        if (aboutIsHidden !== undefined) profile.aboutIsHidden = aboutIsHidden;
        if (business !== undefined) profile.business = toNode(business);
        if (presence !== undefined) {
          const { isAvailable = false, last } = presence ?? {};
          profile.presence = presence === null ? undefined : { isAvailable, ...(last === undefined ? {} : { last }) };
        }
        return {};
      },
    ],
    [
      'GET',
      /^\/phones\/(\d+)\/profile$/,
      (simulator, [digits]) => {
        const { about, disappearing, privacy, blocked } = simulator.profiles.of(find(simulator, digits).number);
        return { about: about?.text ?? '', disappearing, privacy: Object.fromEntries(privacy), blocked: [...blocked] };
      },
    ],
    [
      'POST',
      /^\/phones\/(\d+)\/blocks$/,
      (simulator, [digits], body) => {
        const { number, action } = blockSchema.parse(body);
        simulator.profiles.block(find(simulator, digits).number, find(simulator, number), action);
        return {};
      },
    ],
  ];
}
