import { randomInt } from 'node:crypto';
import { bytesOf, child, node, stamp, type BinaryNode } from './node.ts';
import type { Newsletters, Post } from './newsletters.ts';

/**
 * Channels as accounts see them: what they are, who follows them, and what stands in them. Forms: those that Baileys and whatsmeow write and
 * read. It is forgotten with the process.
 */
export interface Channel {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly createdAt: string;
  readonly invite: string;
  /** Number of who made it. */
  readonly owner: string;
  readonly followers: Set<string>;
}

type Answer = readonly BinaryNode[] | { readonly error: number };

const QUERIES: Readonly<Record<string, 'find' | 'list' | 'follow' | 'unfollow'>> = {
  '6563316087068696': 'find',
  '6388546374527196': 'list',
  '24404358912487870': 'follow',
  '9767147403369991': 'unfollow',
};

export class Channels {
  readonly #newsletters: Newsletters;
  readonly #channels = new Map<string, Channel>();
  /** The reactions to posts: by channel/post, and number of who reacted. */
  readonly #reactions = new Map<string, Map<string, string>>();

  constructor(newsletters: Newsletters) {
    this.#newsletters = newsletters;
  }

  make(owner: string, name: string, description: string): Channel {
    const id = `120363${String(randomInt(1e11, 1e12))}@newsletter`;
    const invite = `0029Va${String(randomInt(1e11, 1e12))}`;
    const channel = { id, name, description, createdAt: stamp(), invite, owner, followers: new Set<string>() };
    this.#channels.set(id, channel);
    return channel;
  }

  all(): readonly Channel[] {
    return [...this.#channels.values()];
  }

  /** Answers a query in JSON about channels; undefined for every other query of its kind. */
  answer(number: string, query: BinaryNode): Answer | undefined {
    const asked = child(query, 'query');
    const question = QUERIES[asked?.attrs['query_id'] ?? ''];
    if (question === undefined) return undefined;
    const { variables = {} } = JSON.parse(bytesOf(query, 'query')?.toString() ?? '{}') as {
      readonly variables?: {
        readonly newsletter_id?: string;
        readonly input?: { readonly key?: string; readonly type?: string };
      };
    };
    const { newsletter_id: id = '', input: { key = '', type = '' } = {} } = variables;
    if (question === 'list') {
      const mine = this.all().filter((one) => one.owner === number || one.followers.has(number));
      return [resultOf({ xwa2_newsletter_subscribed: mine.map((one) => toJson(one, number)) })];
    }
    const found = this.all().find((one) => (type === 'INVITE' ? one.invite === key : one.id === (id || key)));
    if (found === undefined) return [errorOf(404)];
    if (question === 'find')
      return [resultOf({ xwa2_newsletter: toJson(found, type === 'INVITE' ? undefined : number) })];
    if (question === 'follow') {
      if (found.owner !== number) found.followers.add(number);
      return [resultOf({ xwa2_newsletter_join_v2: { id: found.id } })];
    }
    if (found.owner === number) return [errorOf(403)];
    found.followers.delete(number);
    return [resultOf({ xwa2_newsletter_leave_v2: { id: found.id } })];
  }

  /** The posts of a channel, newest first, for who asks for them. */
  posts(query: BinaryNode): Answer {
    const { jid = '', count = '50', before } = child(query, 'messages')?.attrs ?? {};
    if (!this.#channels.has(jid)) return { error: 404 };
    const older = this.#newsletters
      .posts(jid)
      .filter(({ serverId }) => before === undefined || Number(serverId) < Number(before));
    const shown = older.toReversed().slice(0, Number(count));
    return [
      node(
        'messages',
        { jid },
        shown.map((post) => this.#show(post)),
      ),
    ];
  }

  #show(post: Post): BinaryNode {
    const emojis = [...(this.#reactions.get(`${post.newsletter}/${post.serverId}`)?.values() ?? [])];
    const counts = Map.groupBy(emojis, (emoji) => emoji);
    const reactions = [...counts].map(([code, all]) => node('reaction', { code, count: String(all.length) }));
    return node('message', { server_id: post.serverId, id: post.id, t: post.at, type: post.stanzaType }, [
      node('plaintext', {}, this.#newsletters.plaintextOf(post)),
      node('views_count', { count: '7' }),
      node('reactions', {}, reactions),
    ]);
  }

  /** A client reacts to a post, or takes that back. Returns the ack. */
  react(number: string, message: BinaryNode): BinaryNode {
    const { id = '', to = '', server_id: post = '' } = message.attrs;
    const ack = { class: 'message', id, from: to, t: stamp() };
    const exists = this.#newsletters.posts(to).some(({ serverId }) => serverId === post);
    if (!exists) return node('ack', { ...ack, error: '404' });
    const key = `${to}/${post}`;
    const reactions = this.#reactions.get(key) ?? new Map<string, string>();
    this.#reactions.set(key, reactions);
    const code = child(message, 'reaction')?.attrs['code'];
    if (code === undefined) reactions.delete(number);
    else reactions.set(number, code);
    return node('ack', ack);
  }
}

function toJson({ id, name, description, createdAt, invite, owner, followers }: Channel, asker: string | undefined) {
  const role = asker === owner ? 'OWNER' : asker !== undefined && followers.has(asker) ? 'SUBSCRIBER' : 'GUEST';
  return {
    id,
    state: { type: 'ACTIVE' },
    thread_metadata: {
      creation_time: createdAt,
      name: { id: '1', text: name, update_time: createdAt },
      description: { id: '2', text: description, update_time: createdAt },
      invite,
      subscribers_count: String(followers.size),
      verification: 'UNVERIFIED',
    },
    ...(asker === undefined ? {} : { viewer_metadata: { mute: 'OFF', role } }),
  };
}

const resultOf = (data: unknown): BinaryNode => node('result', {}, Buffer.from(JSON.stringify({ data })));

function errorOf(code: number): BinaryNode {
  const errors = [
    { message: 'simulated', extensions: { error_code: code, is_retryable: false, severity: 'CRITICAL' } },
  ];
  return node('result', {}, Buffer.from(JSON.stringify({ data: null, errors })));
}
