import { STATUS, withoutDevice } from '../kernel/jid.ts';
import { flag, shape, text, type Read } from './shape.ts';

/** The key by which a message names another one: `MessageKey`. What it says of itself is its writer's word alone. */
export const wireKey = shape({ chat: text(1), fromMe: flag(2), stanzaId: text(3), participant: text(4) });
export type WireKey = Read<typeof wireKey>;

/** A message that another one is about, as the key in it says. */
export interface Original {
  readonly stanzaId: string;
  /** The key says that whoever wrote the message that names it wrote it, too. */
  readonly byWriter: boolean;
  /** The author, without device, where the key names one; else it is the other side of the chat. */
  readonly sender?: string | undefined;
  /** It is a status, also where what is said about it comes in the chat with a person. */
  readonly inStatus?: true | undefined;
}

/** What a key names; undefined where it names nothing. */
export function toOriginal(key: WireKey | undefined): Original | undefined {
  if (key?.stanzaId === undefined) return undefined;
  const { chat, stanzaId, fromMe = false, participant } = key;
  return {
    stanzaId,
    byWriter: fromMe,
    ...(participant === undefined ? {} : { sender: withoutDevice(participant) }),
    ...(chat === STATUS ? { inStatus: true } : {}),
  };
}
