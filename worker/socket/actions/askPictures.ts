import type { BinaryNode } from '@whiskeysockets/baileys';
import { isPerson, toRecipient } from '../../../shared/kernel/jid.ts';
import { toChat } from '../../../shared/message/party.ts';
import { isGroup } from '../../../shared/message/recipient.ts';
import { answerTo } from '../port/answerTo.ts';
import { refusalIn } from '../port/lookUpError.ts';
import type { Ask, Asking } from './asking.ts';

/**
 * Pictures of the account, of groups and of other people. What is set was made a JPEG before, so that no picture is decoded here; what is found is a link,
 * which somebody else fetches.
 */
export const askProfilePictureSet: Ask<'profile_picture_set'> = async (asking) => {
  const pictureId = await set(asking);
  return { outcome: 'succeeded', result: { set: true, ...pictureId } };
};

export const askProfilePictureRemove: Ask<'profile_picture_remove'> = async (asking) => {
  await answerTo(asking, toQuery(asking, 'set'));
  return { outcome: 'succeeded', result: { removed: true } };
};

export const askGroupPictureSet: Ask<'group_picture_set'> = async (asking, { group }) => {
  const target = toRecipient(group) ?? group;
  const pictureId = await set(asking, target);
  return { outcome: 'succeeded', result: { group: toChat(target), set: true, ...pictureId } };
};

export const askGroupPictureRemove: Ask<'group_picture_remove'> = async (asking, { group }) => {
  const target = toRecipient(group) ?? group;
  await answerTo(asking, toQuery(asking, 'set', target));
  return { outcome: 'succeeded', result: { group: toChat(target), removed: true } };
};

/** The numbers with which WhatsApp says that there is no picture, and that a person does not show it to this account. */
const NONE = 404;
const HIDDEN: ReadonlySet<number> = new Set([401, 403]);

export const askPictureFind: Ask<'picture_find'> = async (asking, { chat: written, size }) => {
  const to = toRecipient(written) ?? written;
  const address = isPerson(to) ? await asking.recipients.resolve(to) : to;
  if (address === undefined) return { outcome: 'refused', error: { code: 'recipient_has_no_account' } };
  const chat = toChat(address, isGroup(address) ? undefined : await asking.otherNameOf(address));
  const type = size === 'preview' ? 'preview' : 'image';
  let answer: BinaryNode;
  try {
    const wanted = { tag: 'picture', attrs: { type, query: 'url' } };
    answer = await answerTo(asking, toQuery(asking, 'get', address, wanted));
  } catch (error) {
    const code = refusalIn(error);
    if (code === NONE) return { outcome: 'succeeded', result: { chat, picture: 'none' } };
    if (code !== undefined && HIDDEN.has(code)) return { outcome: 'succeeded', result: { chat, picture: 'hidden' } };
    throw error;
  }
  const found = pictureIn(answer);
  // An answer without a picture says as much as a number: there is none.
  if (found === undefined) return { outcome: 'succeeded', result: { chat, picture: 'none' } };
  const { id, url, direct_path: path } = found.attrs;
  const isWhole = [id, url].every((part) => part !== undefined && part.length > 0);
  if (!isWhole || id === undefined || url === undefined || !isShort(id, url, path)) return { outcome: 'unanswered' };
  const media = await asking.keepPicture({ address, pictureId: id, size, url, path });
  return { outcome: 'succeeded', result: { chat, picture: 'found', pictureId: id, media } };
};

const ID_CHARACTERS = 64;
const LINK_CHARACTERS = 2_048;

function isShort(id: string, url: string, path = ''): boolean {
  return id.length <= ID_CHARACTERS && url.length <= LINK_CHARACTERS && path.length <= LINK_CHARACTERS;
}

/** Sets the picture that was made for an action. @param target the group; left out for the account itself */
async function set(asking: Asking, target?: string): Promise<{ readonly pictureId?: string }> {
  const { picture } = asking;
  if (picture === undefined) throw new Error('a picture is set without one');
  const content = { tag: 'picture', attrs: { type: 'image' }, content: picture };
  const id = pictureIn(await answerTo(asking, toQuery(asking, 'set', target, content)))?.attrs['id'];
  return id === undefined || !isShort(id, '') ? {} : { pictureId: id };
}

function toQuery(
  { makeTag }: Pick<Asking, 'makeTag'>,
  type: 'get' | 'set',
  target?: string,
  content?: BinaryNode,
): BinaryNode {
  const whose = target === undefined ? {} : { target };
  return {
    tag: 'iq',
    attrs: { id: makeTag(), to: 's.whatsapp.net', type, xmlns: 'w:profile:picture', ...whose },
    ...(content === undefined ? {} : { content: [content] }),
  };
}

function pictureIn({ content }: BinaryNode): BinaryNode | undefined {
  return Array.isArray(content) ? content.find(({ tag }) => tag === 'picture') : undefined;
}
