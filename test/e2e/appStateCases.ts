import { expect, it } from 'vitest';
import { until } from '../../infra/local/until.ts';
import type { PairedStack } from './pairedStack.ts';

const SHOP = '4915100000001';
const ANN = '4915100000002';

type Json = Readonly<Record<string, unknown>>;

/**
 * Cases of what the account's own devices share, both ways, through every process of a stack that another test has started:
 * the account is linked to the first of the phones.
 */
export function appStateCases(stage: () => PairedStack): void {
  it('stars, deletes for itself and marks chats, and its phone follows; what the phone does so comes back', async () => {
    const { api, phones, receiver, connection } = stage();
    const read = (id: unknown): Promise<Json> =>
      api.must('GET', `/v1/connections/${connection}/messages/${String(id)}`);
    const shared = async () => {
      const { entries, failures } = await phones.appState(SHOP);
      expect(failures).toEqual([]);
      return new Map(entries.map(({ index, value }) => [(index as readonly string[]).join(' '), value]));
    };
    const toldOf = (type: string, isWanted: (data: Json) => boolean) =>
      until(
        type,
        () => receiver.events.filter((event) => event.type === type && isWanted(event.data)),
        (found) => found.length > 0,
      ) as Promise<readonly { readonly data: Json }[]>;
    const act = (where: string): Promise<Json> => api.must('POST', `/v1/connections/${connection}/${where}`, {});
    const theirs = await phones.write(ANN, SHOP, 'to be starred');
    const [received] = await toldOf('message.received', ({ stanzaId }) => stanzaId === theirs);
    const { messageId, chat } = (received?.data ?? {}) as {
      readonly messageId: string;
      readonly chat: { readonly id: string };
    };
    const isIt = ({ original }: Json): boolean => (original as Json)['messageId'] === messageId;
    expect(await act(`messages/${messageId}/star`)).toMatchObject({ error: { code: 'app_state_key_missing' } });
    await phones.shareAppStateKey(SHOP, 1);

    await until(
      'a star',
      () => act(`messages/${messageId}/star`),
      ({ state }) => state === 'succeeded',
    );
    await act(`chats/${encodeURIComponent(`+${ANN}`)}/unread`);
    const text = { to: `+${ANN}`, type: 'text', text: { body: 'to be hidden' } };
    const ours = await api.must('POST', `/v1/connections/${connection}/messages`, text);
    await until(
      'it is sent',
      () => act(`messages/${String(ours['id'])}/delete-for-me`),
      ({ state }) => state === 'succeeded',
    );

    const [starred] = await toldOf('message.starred', isIt);
    expect(starred?.data).toMatchObject({ starred: true, chat });
    expect(await read(messageId)).toMatchObject({ starred: true });
    const entries = await shared();
    expect([...entries.keys()]).toEqual([
      expect.stringMatching(new RegExp(`^star .+ ${theirs} 0 0$`)),
      expect.stringMatching(new RegExp(`^deleteMessageForMe .+ ${String(ours['stanzaId'])} 1 0$`)),
      expect.stringMatching(/^markChatAsRead /),
    ]);
    await toldOf('message.deleted_for_me', (of) => (of['original'] as Json)['messageId'] === ours['id']);
    expect(await read(ours['id'])).toMatchObject({ deletedForMeAt: expect.any(String) });
    expect(await toldOf('chat.updated', (of) => of['unread'] === true)).toMatchObject([{ data: { chat } }]);

    const [index = ''] = [...entries.keys()];
    await phones.changeAppState(SHOP, {
      collection: 'regular_high',
      changes: [
        { index: index.split(' '), value: { starAction: { starred: false } } },
        { index: ['deleteMessageForMe', ...index.split(' ').slice(1)], value: { deleteMessageForMeAction: {} } },
      ],
    });
    await phones.changeAppState(SHOP, {
      collection: 'regular_low',
      changes: [
        { index: ['markChatAsRead', `${ANN}@s.whatsapp.net`], value: { markChatAsReadAction: { read: true } } },
      ],
    });

    await toldOf('message.starred', (of) => isIt(of) && of['starred'] === false);
    await toldOf('message.deleted_for_me', isIt);
    expect(await toldOf('chat.updated', (of) => of['unread'] === false)).toMatchObject([{ data: { chat } }]);
    const now = await read(messageId);
    expect(now).toMatchObject({ deletedForMeAt: expect.any(String) });
    expect(now).not.toHaveProperty('starred');
    // Each change was told once, whoever made it.
    expect((await toldOf('message.starred', isIt)).length).toBe(2);
  });
}
