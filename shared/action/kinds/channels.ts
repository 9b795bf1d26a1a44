import { z } from 'zod';
import { toChannel } from '../../kernel/jid.ts';
import { chatSchema } from '../../message/party.ts';
import { actionRow } from '../actionRow.ts';

/** Channels: which the account follows, what they are, and what is posted there. A post is written as any message. */
const channel = z
  .string()
  .min(1)
  .max(64)
  .refine((text) => toChannel(text) !== undefined, 'Write the address of a channel, digits@newsletter.')
  .meta({ description: 'The address of a channel.' });
/** A link as it is copied: that of a post has the number of the post behind it. */
const LINK = /^(?:https?:\/\/(?:www\.)?whatsapp\.com\/channel\/)?([\w-]{8,64})(?:\/\d{0,15})?(?:\?[^#\s]{0,200})?$/;
const invite_link = z
  .string()
  .max(320)
  .regex(LINK, 'must be a link https://whatsapp.com/channel/…, or its code alone')
  .meta({ description: 'A link to a channel, or its code alone.' });

/** The code in a link to a channel, or in what is a code alone. */
export function codeOfChannelLink(link: string): string {
  return LINK.exec(link)?.[1] ?? link;
}

export const channelRoles = ['guest', 'follower', 'admin', 'owner'] as const;

export const channelSchema = z
  .object({
    id: z.string().meta({ description: 'The address of the channel.', example: '120363144038483540@newsletter' }),
    name: z.string(),
    description: z.string().optional(),
    followers: z.number().int().optional(),
    verified: z.boolean(),
    created_at: z.iso.datetime().optional(),
    invite_link: z.string().optional(),
    role: z.enum(channelRoles).optional().meta({ description: 'What the account is in it, where WhatsApp says so.' }),
    muted: z.boolean().optional(),
  })
  .meta({ id: 'Channel' });
export type ChannelView = z.infer<typeof channelSchema>;

const exampleId = '120363144038483540@newsletter';
const exampleLink = 'https://whatsapp.com/channel/0029Va4K0PZ5a245NkngBA2M';
const exampleChannel: ChannelView = {
  id: exampleId,
  name: 'News of the shop',
  followers: 1_204,
  verified: false,
  created_at: '2026-08-01T12:00:05.000Z',
  invite_link: exampleLink,
  role: 'follower',
  muted: false,
};
const one = z.strictObject({ channel });
const read = {
  method: 'GET',
  effect: 'repeatable',
  deadlineMs: 16_000,
  access: 'tenant',
  budget: { burst: 5, perSecond: 0.2 },
} as const;
/** A change says how something is to be: asked twice it comes to the same. */
const change = { ...read, method: 'POST', budget: { burst: 3, perSecond: 0.1 } } as const;

export const channelList = actionRow({
  ...read,
  kind: 'channel_list',
  path: 'channels',
  summary: 'List the channels that the account follows, or has',
  description:
    'WhatsApp is asked for all of them each time. They are shown in the order of their addresses, as many as fit into an answer: with `hasMore` ask again after `next`.',
  request: z.strictObject({ after: channel.optional().meta({ description: '`next` of the answer before.' }) }),
  result: z.object({ channels: z.array(channelSchema), hasMore: z.boolean(), next: z.string().optional() }),
  example: { request: {}, result: { channels: [exampleChannel], hasMore: false } },
  budget: { burst: 2, perSecond: 0.05 },
});

export const channelFind = actionRow({
  ...read,
  kind: 'channel_find',
  path: 'channels/{channel}',
  summary: 'Look up a channel',
  description: 'WhatsApp is asked. It refuses a channel that is not there.',
  request: one,
  result: z.object({ channel: channelSchema }),
  example: { request: { channel: exampleId }, result: { channel: exampleChannel } },
});

export const channelPreview = actionRow({
  ...change,
  kind: 'channel_preview',
  path: 'channel-invites/preview',
  summary: 'Look at the channel behind a link, without following it',
  description: 'WhatsApp is asked. The answer has the address by which the channel is followed.',
  request: z.strictObject({ invite_link }),
  result: z.object({ channel: channelSchema }),
  example: { request: { invite_link: exampleLink }, result: { channel: exampleChannel } },
});

export const channelFollow = actionRow({
  ...change,
  kind: 'channel_follow',
  path: 'channels/{channel}/follow',
  summary: 'Follow a channel: its posts come as messages',
  description:
    'Posts of the time before do not come; list them. Messages of channels may be dropped by a filter of the connection.',
  request: one,
  result: z.object({ channel: chatSchema, followed: z.literal(true) }),
  example: { request: { channel: exampleId }, result: { channel: { id: exampleId }, followed: true } },
});

export const channelUnfollow = actionRow({
  ...change,
  kind: 'channel_unfollow',
  path: 'channels/{channel}/unfollow',
  summary: 'Follow a channel no longer',
  description:
    'Posts that have come stay readable in this API. WhatsApp refuses it for a channel of the account itself.',
  request: one,
  result: z.object({ channel: chatSchema, followed: z.literal(false) }),
  example: { request: { channel: exampleId }, result: { channel: { id: exampleId }, followed: false } },
});

const postSchema = z.object({
  id: z.string().meta({ description: 'The number of the post in its channel.', example: '142' }),
  posted_at: z.iso.datetime().optional(),
  type: z.string().meta({ description: 'The type of content, as of a message.', example: 'text' }),
  text: z.string().optional().meta({ description: 'What it says, or the caption of a file.' }),
  views: z.number().int().optional(),
  reactions: z.array(z.object({ emoji: z.string(), count: z.number().int() })),
});
export type PostView = z.infer<typeof postSchema>;

export const channelPostsList = actionRow({
  ...read,
  kind: 'channel_posts_list',
  path: 'channels/{channel}/posts',
  summary: 'List posts of a channel, with how many have seen them and reacted',
  description:
    'Newest first, 50 at most: with `hasMore` ask again with `before`. Files are not fetched by it; those of a followed channel come with its messages.',
  request: z.strictObject({
    channel,
    before: z
      .string()
      .regex(/^[1-9]\d{0,14}$/, 'must be the number of a post')
      .optional()
      .meta({ description: 'The `id` of a post: only older ones are listed.' }),
  }),
  result: z.object({ channel: chatSchema, posts: z.array(postSchema), hasMore: z.boolean() }),
  example: {
    request: { channel: exampleId },
    result: {
      channel: { id: exampleId },
      posts: [
        {
          id: '142',
          posted_at: '2026-08-01T12:00:05.000Z',
          type: 'text',
          text: 'Open on Sunday',
          views: 310,
          reactions: [{ emoji: '👍', count: 12 }],
        },
      ],
      hasMore: false,
    },
  },
});

export const channelPostReact = actionRow({
  ...change,
  kind: 'channel_post_react',
  path: 'channels/{channel}/posts/{post}/react',
  summary: 'React to a post of a channel, or take the reaction back',
  description:
    'One emoji; an empty text takes it back. A later one stands in place of it. WhatsApp refuses it where the channel does not take it.',
  request: z.strictObject({
    channel,
    post: z.string().regex(/^[1-9]\d{0,14}$/, 'must be the number of a post'),
    emoji: z.string().max(40).meta({ description: 'The emoji; empty for none.', example: '👍' }),
  }),
  result: z.object({ channel: chatSchema, post: z.string(), emoji: z.string() }),
  example: {
    request: { channel: exampleId, post: '142', emoji: '👍' },
    result: { channel: { id: exampleId }, post: '142', emoji: '👍' },
  },
  budget: { burst: 10, perSecond: 0.5 },
});
