import { expect, it } from 'vitest';
import { until } from '../../infra/local/until.ts';
import type { PairedStack } from './pairedStack.ts';

const SHOP = '4915100000001';
const ANN = '4915100000002';

type Json = Readonly<Record<string, unknown>>;

/** Cases of the list of chats, through every process of a stack that another test has started. */
export function chatCases(stage: () => PairedStack): void {
  it('lists the chat in which somebody writes first, with what is unread, until the account writes there', async () => {
    const { api, phones, connection } = stage();
    const path = `/v1/connections/${connection}`;
    const chatOfAnn = (isReached: (chat: Json) => boolean) =>
      until(
        'the chat of Ann',
        async () => (await api.call('GET', `${path}/chats/${encodeURIComponent(`+${ANN}`)}`)).json,
        isReached,
      );
    const textOf = (chat: Json): string =>
      JSON.stringify(((chat['lastMessage'] as Json | undefined)?.['content'] as Json | undefined)?.['text'] ?? '');
    await phones.write(ANN, SHOP, 'is anybody there? 🙂');
    const said = await chatOfAnn((chat) => textOf(chat).includes('🙂'));
    expect(said).toMatchObject({ kind: 'person', phoneNumber: `+${ANN}` });
    expect(said['unreadMessages']).toBeGreaterThan(0);
    const { data } = await api.must('GET', `${path}/chats?unread=true`);
    expect(data).toMatchObject([{ id: said['id'] }, ...(data as readonly Json[]).slice(1).map(() => ({}))]);

    await api.must('POST', `${path}/messages`, { to: `+${ANN}`, type: 'text', text: { body: 'we are' } });
    const answered = await chatOfAnn((chat) => textOf(chat).includes('we are'));

    expect(answered).toMatchObject({ id: said['id'], unreadMessages: 0, lastMessage: { direction: 'out' } });
    const messages = await api.must('GET', `${path}/messages?chat=${encodeURIComponent(String(said['id']))}&limit=2`);
    expect((messages['data'] as readonly Json[]).map(({ direction }) => direction)).toEqual(['out', 'in']);
  });

  it('has nothing unread once messages are marked as read, and shows the marks of the phone', async () => {
    const { api, phones, connection } = stage();
    const path = `/v1/connections/${connection}`;
    const address = encodeURIComponent(`+${ANN}`);
    const chat = (isReached: (chat: Json) => boolean) =>
      until('the chat of Ann', async () => (await api.call('GET', `${path}/chats/${address}`)).json, isReached);
    await phones.write(ANN, SHOP, 'one more');
    const { lastMessage } = await chat(({ unreadMessages }) => unreadMessages === 1);

    await api.must('POST', `${path}/messages/${String((lastMessage as Json)['id'])}/read`, {});
    await chat(({ unreadMessages }) => unreadMessages === 0);
    await api.must('POST', `${path}/chats/${address}/unread`, {});

    expect(await chat(({ unread }) => unread === true)).toMatchObject({ unreadMessages: 0 });
    await api.must('POST', `${path}/chats/${address}/read`, {});
    await chat(({ unread }) => unread === false);

    await phones.write(ANN, SHOP, 'and another');
    await chat(({ unreadMessages }) => unreadMessages === 1);
    const shown = (await phones.messages(SHOP)).findLast(({ text }) => text === 'and another');
    await phones.read(SHOP, shown?.id ?? '');
    await chat(({ unreadMessages }) => unreadMessages === 0);
  });
}
