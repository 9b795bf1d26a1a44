import { proto } from '@whiskeysockets/baileys';
import type { ApiClient } from '../../infra/local/apiClient.ts';
import { until } from '../../infra/local/until.ts';
import type { WhatsAppClient } from '../whatsapp/client.ts';

interface Recalling {
  readonly api: ApiClient;
  readonly whatsApp: WhatsAppClient;
  readonly shop: string;
  /** The numbers of the account and of the person with whom it has the chat. */
  readonly numbers: { readonly shop: string; readonly customer: string };
}

/** The phone tells of what was before; it is read, asked for, and named by something new. */
export async function recallHistory({ api, whatsApp, shop, numbers }: Recalling): Promise<void> {
  const path = `/v1/connections/${shop}`;
  const at = 1_700_000_000;
  const file = { directPath: '/v/none.enc', mediaKey: Buffer.alloc(32, 1), fileSha256: Buffer.alloc(32, 2) };
  const image = Buffer.from(proto.Message.encode({ imageMessage: file }).finish()).toString('base64');
  const old = { id: 'OLD1', at, text: 'before' };
  const chat = { id: `${numbers.customer}@s.whatsapp.net`, name: 'The customer' };
  await whatsApp.tellHistory(numbers.shop, {
    chats: [{ ...chat, messages: [old, { id: 'OLD2', at: at - 60, message: image }] }],
  });
  const storedNow = async (): Promise<number> => {
    const { counts } = await api.must('GET', `${path}/sync`);
    return (counts as { readonly stored: number }).stored;
  };
  await until('the history', storedNow, (stored) => stored === 2);
  const list = await api.must('GET', `${path}/messages?chat=%2B${numbers.customer}`);
  const messages = list['data'] as readonly { readonly id: string; readonly media?: readonly { id: string }[] }[];
  const [oldest] = messages.slice(-1);
  await api.must('GET', `${path}/messages/${oldest?.id}`);
  await api.must('GET', `${path}/chats`);
  await api.must('POST', `/v1/media/${oldest?.media?.[0]?.id}/fetch`);
  const older = { id: 'OLD3', at: at - 120, text: 'long before' };
  await whatsApp.keepPast(numbers.shop, { chats: [{ ...chat, messages: [older] }] });
  await api.must('POST', `${path}/chats/${encodeURIComponent(`+${numbers.customer}`)}/history`, {});
  await until('the older message', storedNow, (stored) => stored === 3);
  const key = { remoteJid: `${numbers.shop}@s.whatsapp.net`, fromMe: true, id: old.id };
  const reaction = proto.Message.encode({ reactionMessage: { key, text: '👍' } }).finish();
  await whatsApp.raw(numbers.customer, { to: numbers.shop, plaintext: Buffer.from(reaction).toString('base64') });
  const newest = async (): Promise<string> => JSON.stringify(await api.must('GET', `${path}/messages?limit=5`));
  await until('the reaction', newest, (text) => text.includes('"reaction"'));
}
