import { getBinaryNodeChild, getBinaryNodeChildren, type BinaryNode } from '@whiskeysockets/baileys';
import { codeOfChannelLink, type PostView } from '../../../shared/action/kinds/channels.ts';
import { toChannel } from '../../../shared/kernel/jid.ts';
import { toChat } from '../../../shared/message/party.ts';
import { answerTo } from '../port/answerTo.ts';
import { toShownText } from '../wire/foreignText.ts';
import { toLinkedAccount } from '../wire/toLinkedAccount.ts';
import { toMessageFacts } from '../wire/messageFacts.ts';
import { toChannelView } from '../wire/toChannelView.ts';
import { fitInto, toCount, toTime } from '../wire/toGroup.ts';
import type { Ask, Asking } from './asking.ts';
import { aNode } from './groupQuery.ts';
import { askMex } from './mexQuery.ts';

/** Channels. What they are is asked in JSON, their posts in stanzas. */
const ANSWER_BYTES = 96 * 1_024;
/** How many posts are asked for at a time. */
const POSTS = 50;
const TEXT_CHARACTERS = 4_096;
const EMOJI_CHARACTERS = 16;
const MOST_REACTIONS = 50;
const TYPE_CHARACTERS = 64;

const addressOf = (written: string): string => toChannel(written) ?? written;

export const askChannelList: Ask<'channel_list'> = async (asking, { after }) => {
  const listed = await askMex(asking, 'list', {}, 'xwa2_newsletter_subscribed');
  if (!Array.isArray(listed)) return { outcome: 'unanswered' };
  const all = listed
    .flatMap((told: unknown) => toChannelView(told) ?? [])
    .toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const from = after === undefined ? 0 : all.findIndex(({ id }) => id > addressOf(after));
  const { shown, complete } = fitInto(from === -1 ? [] : all.slice(from), ANSWER_BYTES);
  const next = complete ? undefined : shown.at(-1)?.id;
  return {
    outcome: 'succeeded',
    result: { channels: shown, hasMore: !complete, ...(next === undefined ? {} : { next }) },
  };
};

export const askChannelFind: Ask<'channel_find'> = (asking, { channel }) =>
  find(asking, { key: addressOf(channel), type: 'JID' });

export const askChannelPreview: Ask<'channel_preview'> = (asking, { invite_link: link }) =>
  find(asking, { key: codeOfChannelLink(link), type: 'INVITE' });

async function find(asking: Asking, input: { readonly key: string; readonly type: 'JID' | 'INVITE' }) {
  const wanted = {
    fetch_creation_time: true,
    fetch_full_image: false,
    fetch_viewer_metadata: input.type === 'JID',
  };
  const told = await askMex(asking, 'find', { ...wanted, input }, 'xwa2_newsletter');
  const channel = toChannelView(told);
  if (channel === undefined) return { outcome: 'unanswered' } as const;
  return { outcome: 'succeeded', result: { channel } } as const;
}

export const askChannelFollow: Ask<'channel_follow'> = async (asking, { channel }) => {
  const address = addressOf(channel);
  await askMex(asking, 'follow', { newsletter_id: address }, 'xwa2_newsletter_join_v2');
  return { outcome: 'succeeded', result: { channel: toChat(address), followed: true } };
};

export const askChannelUnfollow: Ask<'channel_unfollow'> = async (asking, { channel }) => {
  const address = addressOf(channel);
  await askMex(asking, 'unfollow', { newsletter_id: address }, 'xwa2_newsletter_leave_v2');
  return { outcome: 'succeeded', result: { channel: toChat(address), followed: false } };
};

export const askChannelPostsList: Ask<'channel_posts_list'> = async (asking, { channel, before }) => {
  const address = addressOf(channel);
  const wanted = { type: 'jid', jid: address, count: String(POSTS), ...(before === undefined ? {} : { before }) };
  const attrs = { id: asking.makeTag(), to: 's.whatsapp.net', type: 'get', xmlns: 'newsletter' };
  const answer = await answerTo(asking, { tag: 'iq', attrs, content: [aNode('messages', wanted)] });
  const listed = getBinaryNodeChild(answer, 'messages');
  if (listed === undefined) return { outcome: 'unanswered' };
  const nodes = getBinaryNodeChildren(listed, 'message').slice(0, POSTS);
  const posts = nodes
    .flatMap((node) => toPost(asking, address, node) ?? [])
    .toSorted((one, other) => Number(other.id) - Number(one.id));
  const { shown, complete } = fitInto(posts, ANSWER_BYTES);
  // The first post of a channel has a number of its own, so that a full answer may be the last one.
  const hasMore = shown.length > 0 && (!complete || nodes.length === POSTS);
  return { outcome: 'succeeded', result: { channel: toChat(address), posts: shown, hasMore } };
};

function toPost(asking: Asking, channel: string, node: BinaryNode): PostView | undefined {
  const { server_id: id = '', t = '0' } = node.attrs;
  const bytes = getBinaryNodeChild(node, 'plaintext')?.content;
  if (!/^[1-9]\d{0,14}$/.test(id)) return undefined;
  const at = toTime(t);
  const views = toCount(getBinaryNodeChild(node, 'views_count')?.attrs['count']);
  return {
    id,
    ...(at === undefined ? {} : { posted_at: at }),
    ...contentOf(asking, channel, node, bytes instanceof Uint8Array ? bytes : undefined),
    ...(views === undefined ? {} : { views }),
    reactions: getBinaryNodeChildren(getBinaryNodeChild(node, 'reactions'), 'reaction')
      .slice(0, MOST_REACTIONS)
      .map(({ attrs }) => ({
        emoji: toShownText(attrs['code'] ?? '', EMOJI_CHARACTERS),
        count: toCount(attrs['count']) ?? 0,
      })),
  };
}

/** What a post says, as of any message; `unavailable` for one that has no content any more. */
function contentOf(
  { socket }: Pick<Asking, 'socket'>,
  channel: string,
  { attrs }: BinaryNode,
  bytes: Uint8Array | undefined,
): Pick<PostView, 'type' | 'text'> {
  if (bytes === undefined) return { type: 'unavailable' };
  const stanza = { tag: 'message', attrs: { from: channel, id: attrs['id'] ?? '', t: attrs['t'] ?? '0' } };
  const me = toLinkedAccount(socket.authState.creds);
  const [told] = toMessageFacts(stanza, { outcome: 'unpadded', bytes }, me);
  const { type = 'unsupported', ...content } = told?.fact.content ?? {};
  const body = (content as Readonly<Record<string, unknown>>)[type];
  const { body: said, caption } = (typeof body === 'object' && body !== null ? body : {}) as Readonly<
    Record<string, unknown>
  >;
  const text = [said, caption].find((one) => typeof one === 'string');
  return {
    type: toShownText(type, TYPE_CHARACTERS),
    ...(typeof text === 'string' ? { text: toShownText(text, TEXT_CHARACTERS) } : {}),
  };
}

/** A reaction is a stanza of a message, which WhatsApp answers with an ack; an error in it refuses it. */
export const askChannelPostReact: Ask<'channel_post_react'> = async (asking, { channel, post, emoji }) => {
  const address = addressOf(channel);
  const withdrawn = emoji === '' ? { edit: '7' } : {};
  const attrs = { to: address, id: asking.makeTag(), type: 'reaction', server_id: post, ...withdrawn };
  const answer = await answerTo(asking, {
    tag: 'message',
    attrs,
    content: [aNode('reaction', emoji === '' ? {} : { code: emoji })],
  });
  const code = toCount(answer.attrs['error']);
  if (code !== undefined && code > 0) return { outcome: 'refused', error: { code: 'refused', whatsappCode: code } };
  return { outcome: 'succeeded', result: { channel: toChat(address), post, emoji } };
};
