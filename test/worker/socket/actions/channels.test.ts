import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { actionRows, type AskedAction } from '../../../../shared/action/actionKinds.ts';
import type { ActionRow } from '../../../../shared/action/actionRow.ts';
import type { ChannelView, PostView } from '../../../../shared/action/kinds/channels.ts';
import { makeStanzaId } from '../../../../shared/kernel/id.ts';
import { systemRandom } from '../../../../shared/kernel/random.ts';
import { toChannelView } from '../../../../worker/socket/wire/toChannelView.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { ANN, BOB, SocketRoom } from '../socketRoom.ts';

silenceConsole();
const NOWHERE = '120363000000000000@newsletter';

describe('channels on a real socket', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.client.clearFaults());
  afterAll(() => room.stop());

  const ask = (action: AskedAction) => {
    if (room.socket === undefined) throw new Error('there is no socket');
    return room.socket.ask(action, `${ANN}@s.whatsapp.net`);
  };
  const done = async <Result>(action: AskedAction): Promise<Result> => {
    const outcome = await ask(action);
    expect(outcome).toMatchObject({ outcome: 'succeeded' });
    return ('result' in outcome ? outcome.result : undefined) as Result;
  };
  const list = () =>
    done<{ readonly channels: readonly ChannelView[]; readonly hasMore: boolean }>({
      kind: 'channel_list',
      request: {},
    });
  const refused = (whatsappCode: number) => ({ outcome: 'refused', error: { code: 'refused', whatsappCode } });

  it('are previewed by link, followed, looked up, listed, and followed no longer', async () => {
    const { id, invite } = await room.client.addChannel(BOB, 'News 👩🏽‍🚀', 'of the day');
    const link = `https://whatsapp.com/channel/${invite}`;

    const preview = await done<{ readonly channel: ChannelView }>({
      kind: 'channel_preview',
      request: { invite_link: link },
    });
    const followed = await done({ kind: 'channel_follow', request: { channel: id } });
    await done({ kind: 'channel_follow', request: { channel: id } });
    const { channel } = await done<{ readonly channel: ChannelView }>({
      kind: 'channel_find',
      request: { channel: id },
    });
    const listed = await list();
    const rest = await done({ kind: 'channel_list', request: { after: id } });
    await done({ kind: 'channel_unfollow', request: { channel: id } });

    expect(preview.channel).toMatchObject({ id, name: 'News 👩🏽‍🚀', description: 'of the day', invite_link: link });
    expect(preview.channel.role).toBeUndefined();
    expect(followed).toEqual({ channel: { id }, followed: true });
    expect(channel).toMatchObject({ followers: 1, verified: false, role: 'follower', muted: false });
    expect(listed).toMatchObject({ channels: [{ id }], hasMore: false });
    expect(rest).toEqual({ channels: [], hasMore: false });
    expect((await list()).channels).toEqual([]);
    expect((await room.client.channels()).find((one) => one.id === id)?.followers).toEqual([]);
  });

  it('refuse with the number in the answer: what is not there, and to leave what is its own', async () => {
    const { id } = await room.client.addChannel(ANN, 'Our own');

    expect(await ask({ kind: 'channel_find', request: { channel: NOWHERE } })).toEqual(refused(404));
    expect(await ask({ kind: 'channel_posts_list', request: { channel: NOWHERE } })).toEqual(refused(404));
    expect(await ask({ kind: 'channel_unfollow', request: { channel: id } })).toEqual(refused(403));
    expect(await ask({ kind: 'channel_post_react', request: { channel: id, post: '1', emoji: '👍' } })).toEqual(
      refused(404),
    );
  });

  it('have posts, newest first, a part at a time, with reactions that are taken back', async () => {
    const { id } = await room.client.addChannel(ANN, 'Posts');
    for (let post = 0; post < 53; post += 1) await room.send(`post ${post}`, makeStanzaId(systemRandom), id);
    type Listed = { readonly posts: readonly PostView[]; readonly hasMore: boolean };
    const posts = (before?: string) =>
      done<Listed>({
        kind: 'channel_posts_list',
        request: { channel: id, ...(before === undefined ? {} : { before }) },
      });
    const first = await posts();
    const rest = await posts(first.posts.at(-1)?.id);
    const post = first.posts[0]?.id ?? '';
    const react = (emoji: string) => done({ kind: 'channel_post_react', request: { channel: id, post, emoji } });

    const reacted = await react('👍');
    await react('❤️');
    const withReaction = (await posts()).posts[0];
    await react('');

    expect(first.posts.map(({ text }) => text).slice(0, 2)).toEqual(['post 52', 'post 51']);
    expect([first.posts.length, first.hasMore, rest.posts.length, rest.hasMore]).toEqual([50, true, 3, false]);
    expect(first.posts[0]).toMatchObject({
      type: 'text',
      views: 7,
      reactions: [],
      posted_at: expect.any(String) as string,
    });
    expect(reacted).toEqual({ channel: { id }, post, emoji: '👍' });
    expect(withReaction?.reactions).toEqual([{ emoji: '❤️', count: 1 }]);
    expect((await posts()).posts[0]?.reactions).toEqual([]);
  });

  it('say the number of a refusal, and silence within the deadline: every kind but the reaction', async () => {
    const asked = (actionRows as readonly unknown[] as readonly ActionRow[])
      .filter(({ kind }) => /^channel_(?!post_react)/.test(kind))
      .map(({ kind, example: { request } }) => ({ kind, request }) as AskedAction);
    const outcomes = async () => {
      const all = await Promise.all(asked.map(async (action) => [action.kind, await ask(action)] as const));
      return all.map(([kind, outcome]) => [kind, outcome.outcome]);
    };

    for (const xmlns of ['w:mex', 'newsletter']) await room.client.fault({ kind: 'iq_error', xmlns, code: 403 });
    const answers = await outcomes();
    await room.client.clearFaults();
    for (const xmlns of ['w:mex', 'newsletter']) await room.client.fault({ kind: 'iq_hang', xmlns });
    const silent = await outcomes();

    expect(answers).toEqual(asked.map(({ kind }) => [kind, 'refused']));
    expect(silent).toEqual(asked.map(({ kind }) => [kind, 'unanswered']));
    expect(asked).toHaveLength(6);
  });

  it('say that a reaction was refused, or that nobody answered it', async () => {
    const { id } = await room.client.addChannel(ANN, 'Refusing');
    await room.send('a post', makeStanzaId(systemRandom), id);
    const react = () => ask({ kind: 'channel_post_react', request: { channel: id, post: '100', emoji: '👍' } });
    await room.client.fault({ kind: 'nack', number: ANN, code: 403, times: 1 });

    expect(await react()).toEqual(refused(403));
    expect(await react()).toMatchObject({ outcome: 'succeeded' });
  });
});

describe('a channel as WhatsApp tells it', () => {
  const thread = { name: { text: 'News' }, verification: 'VERIFIED' };
  const told = (more: object = {}, viewer?: object) => ({
    id: '120363144038483540@newsletter',
    thread_metadata: { ...thread, ...more },
    ...(viewer === undefined ? {} : { viewer_metadata: viewer }),
  });

  it.each([
    [told(), { name: 'News', verified: true }],
    [
      told({ subscribers_count: 12, creation_time: '1790000000' }),
      { followers: 12, created_at: '2026-09-21T14:13:20.000Z' },
    ],
    [told({}, { role: 'ADMIN', mute: 'ON' }), { role: 'admin', muted: true }],
    [told({ name: { text: 'a\0'.repeat(9_000) } }), { name: 'a\ufffd'.repeat(128) }],
  ])('is shown: %#', (given, expected) => {
    expect(toChannelView(given)).toMatchObject(expected);
  });

  it.each([
    [told({ subscribers_count: 'many', creation_time: {}, invite: 7 }, { role: 'constructor', mute: 3 })],
    [told({ description: 'no object', invite: 'a b' }, 'nothing' as unknown as object)],
  ])('is shown without the parts that are not as expected: %#', (given) => {
    expect(toChannelView(given)).toEqual({ id: given.id, name: 'News', verified: true });
  });

  it.each([
    undefined,
    null,
    [],
    {},
    { id: 'x@newsletter', thread_metadata: thread },
    { id: '1@g.us', thread_metadata: thread },
  ])('is none: %j', (given) => {
    expect(toChannelView(given)).toBeUndefined();
  });
});
