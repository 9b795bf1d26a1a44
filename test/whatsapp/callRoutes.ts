import { randomBytes } from 'node:crypto';
import { encodeWAMessage } from '@whiskeysockets/baileys';
import { z } from 'zod';
import { newsletterPost } from './calls.ts';
import type { Simulated } from './simulated.ts';
import type { Account } from './world.ts';

/** Routes of the control API for what comes from elsewhere than a chat: status updates, lists, newsletters, calls. */
type Handler = (simulator: Simulated, parameters: readonly string[], body: unknown) => unknown;
type Route = readonly [method: string, path: RegExp, handler: Handler];
/** Throws the API's refusal when there is no such phone. */
type Find = (simulator: Simulated, digits: string | undefined) => Account;

const number = z.string().regex(/^[1-9]\d{6,14}$/, 'must be 7 to 15 digits without +');
const text = z.string().min(1).max(65_536);
const broadcastSchema = z.strictObject({
  list: z
    .string()
    .regex(/^(status|\d+)@broadcast$/)
    .default('status@broadcast'),
  to: z.array(number).min(1),
  text,
});
const postSchema = z.strictObject({ newsletter: z.string().regex(/^\d+@newsletter$/), text });
const endSchema = z.strictObject({ as: z.enum(['rejected', 'accepted', 'timeout', 'ended']) });
const callSchema = z.strictObject({ to: number, video: z.boolean().default(false) });

export function makeCallRoutes(find: Find): readonly Route[] {
  return [
    [
      'POST',
      /^\/phones\/(\d+)\/broadcasts$/,
      async (simulator, [digits], body) => {
        const account = find(simulator, digits);
        const { list, to: readers, text: conversation } = broadcastSchema.parse(body);
        const members = new Map([account, ...readers.map((reader) => find(simulator, reader))].map(asMember));
        const chat = {
          id: list,
          subject: '',
          creator: account.number,
          createdAt: '0',
          description: undefined,
          members,
        };
        return { id: await simulator.phones.write(account, chat, { conversation }) };
      },
    ],
    [
      'POST',
      /^\/phones\/(\d+)\/newsletter-posts$/,
      (simulator, [digits], body) => {
        const { newsletter, text: conversation } = postSchema.parse(body);
        const id = randomBytes(10).toString('hex').toUpperCase();
        // Newsletters are not sealed, and not padded.
        const padded = encodeWAMessage({ conversation });
        const message = padded.subarray(0, padded.length - (padded.at(-1) ?? 0));
        for (const device of find(simulator, digits).devices.values()) {
          simulator.logins.enqueue(device, newsletterPost(newsletter, id, message));
        }
        return { id };
      },
    ],
    [
      'POST',
      /^\/phones\/(\d+)\/calls$/,
      (simulator, [digits], body) => {
        const { to: called, video } = callSchema.parse(body);
        return { id: simulator.calls.call(find(simulator, digits), find(simulator, called), video) };
      },
    ],
    [
      'POST',
      /^\/phones\/(\d+)\/calls\/(\w+)\/end$/,
      (simulator, [digits, id = ''], body) => {
        const { as } = endSchema.parse(body);
        return { found: simulator.calls.end(find(simulator, digits), id, as) };
      },
    ],
    ['GET', /^\/phones\/(\d+)\/calls$/, (simulator, [digits]) => simulator.calls.made(find(simulator, digits))],
  ];
}

function asMember({ number: digits }: Account): [string, 'member'] {
  return [digits, 'member'];
}
