import { z } from 'zod';
import type { Group } from './group.ts';
import { node } from './node.ts';
import { stanzaJson, toNode } from './rawRoutes.ts';
import { Refused } from './refused.ts';
import type { Simulated } from './simulated.ts';
import type { Account } from './world.ts';

/** Routes of the control API for groups, and for what owners of phones do to them. */
type Handler = (simulator: Simulated, parameters: readonly string[], body: unknown) => unknown;
type Route = readonly [method: string, path: RegExp, handler: Handler];
/** Finders, which throw the API's refusal when there is no such phone, or no such group. */
type Find = (simulator: Simulated, digits: string | undefined) => Account;
type FindGroup = (simulator: Simulated, id: string | undefined) => Group;

const number = z.string().regex(/^[1-9]\d{6,14}$/, 'must be a number of 7 to 15 digits without +');
const groupSchema = z.strictObject({ creator: number, subject: z.string().min(1).max(100), members: z.array(number) });
const memberSchema = z.strictObject({
  by: number,
  change: z.enum(['add', 'remove', 'promote', 'demote']),
  members: z.array(number).min(1),
});
const querySchema = z.strictObject({
  type: z.enum(['get', 'set']),
  to: z.string().regex(/^\d*@g\.us$/, 'must be the id of a group, or @g.us'),
  stanza: stanzaJson,
});
const privacySchema = z.strictObject({ isClosed: z.boolean() });

export function makeGroupRoutes(find: Find, findGroup: FindGroup): readonly Route[] {
  return [
    [
      'POST',
      /^\/groups$/,
      (simulator, _parameters, body) => {
        const { creator, subject, members } = groupSchema.parse(body);
        const others = members.map((digits) => find(simulator, digits));
        return describe(simulator.groups.create(find(simulator, creator), subject, others));
      },
    ],
    ['GET', /^\/groups$/, (simulator) => [...simulator.world.groups.values()].map(describe)],
    [
      'POST',
      /^\/groups\/(\d+@g\.us)\/members$/,
      (simulator, [id], body) => {
        const group = findGroup(simulator, id);
        const { by, change, members } = memberSchema.parse(body);
        const accounts = members.map((digits) => find(simulator, digits));
        if (simulator.groups.change(group, find(simulator, by), change, accounts) === undefined) {
          throw new Refused(409, 'Only an admin of the group may change its members; everybody may remove himself.');
        }
        return describe(group);
      },
    ],
    [
      'POST',
      /^\/phones\/(\d+)\/group-queries$/,
      (simulator, [digits], body) => {
        const { type, to, stanza } = querySchema.parse(body);
        const query = node('iq', { type, to, xmlns: 'w:g2' }, [toNode(stanza)]);
        const answer = simulator.groups.answerPhone(find(simulator, digits), query);
        if ('error' in answer) throw new Refused(409, `The server of groups refuses it (${answer.error}).`);
        return {};
      },
    ],
    [
      'POST',
      /^\/phones\/(\d+)\/group-privacy$/,
      (simulator, [digits], body) => {
        simulator.groups.close(find(simulator, digits), privacySchema.parse(body).isClosed);
        return {};
      },
    ],
  ];
}

function describe({ id, subject, creator, members, description, settings, code, requests, community }: Group) {
  return {
    id,
    subject,
    creator,
    members: Object.fromEntries(members),
    description: description?.text ?? '',
    settings,
    code,
    requests: [...requests.keys()],
    ...(community === undefined ? {} : { community }),
  };
}
