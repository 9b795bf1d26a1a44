import { randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { z } from 'zod';
import { broadcastTo } from './broadcast.ts';
import { newsletterPost } from './calls.ts';
import { fileKinds } from './media/fileKinds.ts';
import { messageOfFile, outgoingFileSchema, type OutgoingFile } from './media/outgoingFile.ts';
import type { Simulated } from './simulated.ts';
import type { Account } from './world.ts';

/** Routes of the control API for what comes from elsewhere than a chat: status updates, lists, newsletters, calls. */
type Handler = (simulator: Simulated, parameters: readonly string[], body: unknown) => unknown;
type Route = readonly [method: string, path: RegExp, handler: Handler];
/** Throws the API's refusal when there is no such phone. */
type Find = (simulator: Simulated, digits: string | undefined) => Account;

const number = z.string().regex(/^[1-9]\d{6,14}$/, 'must be 7 to 15 digits without +');
const text = z.string().min(1).max(65_536);
/** A text, or a file with or without one: see README.md, "Media". */
const said = { text: text.optional(), media: outgoingFileSchema.optional() } as const;
const isSaid = [
  (words: { readonly text?: unknown; readonly media?: unknown }) =>
    words.text !== undefined || words.media !== undefined,
  'must say something: text, or media',
] as const;
const broadcastSchema = z
  .strictObject({
    list: z
      .string()
      .regex(/^(status|\d+)@broadcast$/)
      .default('status@broadcast'),
    to: z.array(number).min(1),
    ...said,
    plaintext: z.base64().optional(),
  })
  .refine((words) => words.plaintext !== undefined || isSaid[0](words), isSaid[1]);
const postSchema = z.strictObject({ newsletter: z.string().regex(/^\d+@newsletter$/), ...said }).refine(...isSaid);
const endSchema = z.strictObject({ as: z.enum(['rejected', 'accepted', 'timeout', 'ended']) });
const callSchema = z.strictObject({ to: number, video: z.boolean().default(false) });

export function makeCallRoutes(find: Find): readonly Route[] {
  return [
    [
      'POST',
      /^\/phones\/(\d+)\/broadcasts$/,
      async (simulator, [digits], body) => {
        const account = find(simulator, digits);
        const { list, to: readers, plaintext, ...words } = broadcastSchema.parse(body);
        const chat = broadcastTo(
          list,
          account,
          readers.map((reader) => find(simulator, reader)),
        );
        const content =
          plaintext === undefined
            ? await toContent(simulator, account, words, false)
            : proto.Message.decode(Buffer.from(plaintext, 'base64'));
        return { id: await simulator.phones.write(account, chat, content) };
      },
    ],
    [
      'POST',
      /^\/phones\/(\d+)\/newsletter-posts$/,
      async (simulator, [digits], body) => {
        const account = find(simulator, digits);
        const { newsletter, ...words } = postSchema.parse(body);
        const id = randomBytes(10).toString('hex').toUpperCase();
        // Newsletters are not sealed, and not padded.
        const message = proto.Message.encode(await toContent(simulator, account, words, true)).finish();
        const mediaType = words.media && fileKinds[words.media.kind].mediaType;
        for (const device of account.devices.values()) {
          simulator.logins.enqueue(device, newsletterPost(newsletter, id, message, mediaType));
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
    ['GET', /^\/newsletters\/(\d+@newsletter)\/posts$/, (simulator, [id = '']) => simulator.newsletters.posts(id)],
    ['GET', /^\/phones\/(\d+)\/calls$/, (simulator, [digits]) => simulator.calls.made(find(simulator, digits))],
  ];
}

async function toContent(
  simulator: Simulated,
  account: Account,
  { text: words, media }: { readonly text?: string | undefined; readonly media?: OutgoingFile | undefined },
  isPost: boolean,
): Promise<proto.IMessage> {
  if (media === undefined) return { conversation: words ?? '' };
  return messageOfFile(media, await simulator.files.upload(account, media, isPost), words);
}
