import { boundContent } from '../../content/content.ts';
import type { Message } from '../../message/message.ts';
import { pollIn } from '../../message/pollVotes.ts';
import { toContent, type ToldContent } from '../../wire/content.ts';
import { innerMessage, innerText } from '../../wire/innerText.ts';
import { readSealedReaction } from '../../wire/kinds/reaction.ts';
import { readAddedOptions, readEventResponse, readVote } from '../../wire/openedKinds.ts';
import { openSealed, type SealUse } from '../../wire/sealed.ts';
import type { MessageFact } from './messageFactSchema.ts';
import type { FoundOriginal } from './originalRule.ts';

/** The parts of a fact that an opened seal says. */
interface Opened extends Pick<MessageFact, 'content' | 'act'> {
  /** The hashes of the options of a vote, in hex. */
  readonly chosen?: readonly string[];
}

/** A fact whose sealed part is open, if it had one and its secret is known. */
export type OpenedFact = MessageFact & Pick<Opened, 'chosen'>;

/**
 * The way in which each use of a seal is read once it is open; undefined for nonsense, and for a use that has no form here
 * yet. The fact then stays as it is: the kind of the message, without its content.
 */
const readers: Partial<Readonly<Record<SealUse, (bytes: Uint8Array, original: Message) => Opened | undefined>>> = {
  edit: (bytes) => readEdit(toContent(bytes)),
  reaction: (bytes) => {
    const body = readSealedReaction(bytes);
    return body === 'malformed' ? undefined : { content: boundContent({ type: 'reaction', reaction: body }) };
  },
  comment: (bytes) => readComment(bytes, toContent(bytes)),
  poll_edit: (bytes) => readEdit(toContent(bytes)),
  event_edit: (bytes) => readEdit(toContent(bytes)),
  vote: (bytes, original) => {
    const chosen = pollIn(original.content) === undefined ? undefined : readVote(bytes);
    // What the hashes mean, and how the poll stands, is found out with the votes so far (`countVote`).
    return chosen && { content: { type: 'poll_vote', poll_vote: { options: [] } }, chosen };
  },
  poll_add_option: (bytes, original) => {
    const options = pollIn(original.content) === undefined ? undefined : readAddedOptions(bytes);
    return options && { content: boundContent({ type: 'poll_option', poll_option: { options } }) };
  },
  event_response: (bytes) => {
    const answer = readEventResponse(bytes);
    return answer && { content: boundContent({ type: 'event_response', event_response: answer }) };
  },
};

/** The fact with what its sealed part says, where the secret of the original opens it. Without a secret it stays as it is. */
export function openFact(fact: MessageFact, found: FoundOriginal | undefined): OpenedFact {
  const { sealed, originalId } = fact;
  const secret = found?.message.secret;
  if (sealed === undefined || originalId === undefined || found === undefined || secret === undefined) return fact;
  const bytes = openSealed(
    { use: sealed.use, payload: fromBase64(sealed.payload), iv: fromBase64(sealed.iv) },
    {
      secret: Buffer.from(secret, 'base64url'),
      stanzaId: originalId,
      authors: namesOf(fact.originalSender, fact.originalSenderAlias, ...authorsOf(found.message)),
      actors: namesOf(fact.sender, fact.senderAlias),
    },
  );
  const opened = bytes && readers[sealed.use]?.(bytes, found.message);
  return opened === undefined ? fact : { ...fact, ...opened };
}

/** A sealed edit holds the message as an edit that is not sealed does; some clients leave the form of an edit out. */
function readEdit(told: ToldContent | undefined): Opened | undefined {
  return told === undefined ? undefined : { content: boundContent(told.content), act: 'edit' };
}

/** A sealed comment holds the message that it is; one that holds the form of a comment is read, too. */
function readComment(bytes: Uint8Array, told: ToldContent | undefined): Opened | undefined {
  if (told?.content.type === 'comment') return { content: boundContent(told.content) };
  const read = innerMessage.read(bytes);
  const text = read === 'malformed' ? undefined : innerText(read);
  return text === undefined ? undefined : { content: boundContent({ type: 'comment', comment: { text } }) };
}

function authorsOf(message: Message): readonly (string | undefined)[] {
  return message.direction === 'out' ? [] : [message.sender, message.senderAlias];
}

function namesOf(...names: readonly (string | undefined)[]): readonly string[] {
  return names.filter((name) => name !== undefined);
}

function fromBase64(text: string): Uint8Array {
  return Buffer.from(text, 'base64');
}
