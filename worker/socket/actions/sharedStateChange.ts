import type { ActionError } from '../../../shared/action/actionError.ts';
import { TimeoutError } from '../../../shared/kernel/deadline.ts';
import { isPerson, toRecipient } from '../../../shared/kernel/jid.ts';
import { isSent, type Message } from '../../../shared/message/message.ts';
import { toChat, type Chat } from '../../../shared/message/party.ts';
import { isGroup } from '../../../shared/message/recipient.ts';
import type { Synced, Written } from '../appState/collections.ts';
import type { NewestMessage } from '../appState/kinds/messageRange.ts';
import type { StateChange } from '../appState/writePatch.ts';
import type { Asking } from './asking.ts';

/**
 * Parts of the actions that change the state which the account's devices share. A patch says how something is to be, so that
 * one that is written twice comes to the same; what another device does at the same moment is decided by the order at WhatsApp.
 */
export type Refused = { readonly outcome: 'refused'; readonly error: ActionError };

export function refused(error: ActionError): Refused {
  return { outcome: 'refused', error };
}

/** A chat as the other devices know it, with its newest message. */
interface FoundChat {
  /** The name under which its messages come, where there are any: the other devices know it by that. */
  readonly address: string;
  readonly newest: NewestMessage | undefined;
  readonly shown: Chat;
}

/** Finds a chat of a request; undefined where there is nobody at the number. */
export async function findChat(asking: Asking, written: string): Promise<FoundChat | undefined> {
  const to = toRecipient(written) ?? written;
  const address = isPerson(to) ? await asking.recipients.resolve(to) : to;
  if (address === undefined) return undefined;
  const alias = isGroup(address) ? undefined : await asking.otherNameOf(address);
  const found = await asking.kept.newestIn([address, alias].filter((name) => name !== undefined));
  const newest = found === undefined ? undefined : toNamed(found);
  return { address: newest?.chat ?? address, newest, shown: toChat(address, alias) };
}

/** Finds a chat, changes it, and answers with it and what it is now. */
export async function changeChat<Result extends object>(
  asking: Asking,
  written: string,
  toChange: (chat: FoundChat, nowMs: number) => StateChange,
  result: Result,
): Promise<Refused | { readonly outcome: 'succeeded'; readonly result: { readonly chat: Chat } & Result }> {
  const found = await findChat(asking, written);
  if (found === undefined) return refused({ code: 'recipient_has_no_account' });
  const refusal = judge(await asking.appState.write(toChange(found, asking.nowMs())));
  return refusal ?? { outcome: 'succeeded', result: { chat: found.shown, ...result } };
}

/** A message as WhatsApp names it; undefined for one that it does not have. */
export function toNamed(message: Message): NewestMessage | undefined {
  const { stanzaId, createdAtMs } = message;
  if (message.direction === 'out') {
    if (!isSent(message.state)) return undefined;
    const atMs = message.sentAtMs ?? createdAtMs;
    return { chat: message.resolvedTo ?? message.to, stanzaId, fromMe: true, atMs };
  }
  const { chat, sender, direction } = message;
  return { chat, stanzaId, fromMe: direction === 'echo', sender, atMs: createdAtMs };
}

/**
 * The refusal that an end means; undefined for success. Throws where WhatsApp may be asked again, as for any other question: a
 * number that is not final, other devices that were faster each time, or a change that WhatsApp has and nobody was told of.
 */
export function judge(done: Written | Synced): Refused | undefined {
  switch (done.end) {
    case 'written':
    case 'synced':
      return undefined;
    case 'key_missing':
      return refused({ code: 'app_state_key_missing' });
    case 'damaged':
      return refused({ code: 'app_state_damaged' });
    case 'refused':
      throw new StateRefusal(done.code);
    default:
      throw new TimeoutError('writing app state', 0);
  }
}

/** A refusal in the form of those of Baileys, which `askWhatsApp` judges by its number. */
class StateRefusal extends Error {
  override readonly name = 'StateRefusal';
  readonly data: number;

  constructor(code: number) {
    super(`app state was refused with ${code}`);
    this.data = code;
  }
}
