import type { proto } from '@whiskeysockets/baileys';
import { quotedWords } from '../../../shared/content/quotedWords.ts';
import type { Answered, SentContext } from '../../../shared/message/sentContext.ts';
import { ownNameBy, type Me } from './envelope.ts';
import { toQuoted } from './spokenKinds.ts';

/** The bit by which a context mentions everybody in a group. */
const EVERYBODY = 1;

/**
 * The context of a message that is sent, as the protocol has it; undefined where there is none.
 * @param chat the chat that it goes to
 */
export function toContextInfo(context: SentContext | undefined, chat: string, me: Me): proto.IContextInfo | undefined {
  if (context === undefined) return undefined;
  const { replyTo, mentions, mentionsEveryone, forwarded, expiresIn } = context;
  return {
    ...(replyTo === undefined ? {} : toQuote(replyTo, chat, me)),
    ...(mentions === undefined ? {} : { mentionedJid: [...mentions] }),
    ...(mentionsEveryone === undefined ? {} : { nonJidMentions: EVERYBODY }),
    ...(forwarded === undefined ? {} : { forwardingScore: forwarded, isForwarded: true }),
    ...(expiresIn === undefined ? {} : { expiration: expiresIn }),
  };
}

function toQuote({ stanzaId, sender, chat: elsewhere, quoted }: Answered, chat: string, me: Me): proto.IContextInfo {
  return {
    stanzaId,
    participant: sender ?? ownNameBy(chat, me),
    quotedMessage: toQuoted(quoted) ?? { conversation: quotedWords(quoted) },
    ...(elsewhere === undefined ? {} : { remoteJid: elsewhere }),
  };
}
