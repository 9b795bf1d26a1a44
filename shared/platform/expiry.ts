/** How long records are kept, in seconds. DynamoDB deletes up to two days late, so readers compare `ttl` themselves. */
const DAY_SECONDS = 86_400;

export const retentionSeconds = {
  idempotency: DAY_SECONDS,
  message: 90 * DAY_SECONDS,
  /** What a phone has told of a history, and how far it is taken in: as long as its messages. */
  history: 90 * DAY_SECONDS,
  /** What is known of a person, counted from when they were last noticed. */
  contact: 90 * DAY_SECONDS,
  /** A chat, counted from the last time that something became of it: as long as its messages. */
  chat: 90 * DAY_SECONDS,
  /** How many chats a connection came to have on a day. */
  newChats: 2 * DAY_SECONDS,
  /** WhatsApp's word that a number has an account, and that it has none. */
  knownNumber: 30 * DAY_SECONDS,
  unknownNumber: DAY_SECONDS,
  /** How many people a connection came to know on a day. */
  newContacts: 2 * DAY_SECONDS,
  /** The note that the phone was asked for a file: for longer than it is asked. */
  askedFile: 7 * DAY_SECONDS,
  /** The longest that a file is in the bucket, counted from when it was written: a day longer than any tenant keeps one. */
  object: 91 * DAY_SECONDS,
  /** A file as it lies at WhatsApp: for longer than it is sent again, and for as long as its job is tried. */
  upload: 7 * DAY_SECONDS,
  /** What was made of a file to be set as a picture: it is made anew after that. */
  picture: DAY_SECONDS,
  /** An action after its end. */
  action: 7 * DAY_SECONDS,
  /** An action that nobody ends, and the way to it: as long as it may wait, and then be kept. */
  openAction: 15 * DAY_SECONDS,
  /** A bulk send and its lines, counted from when it may begin: it may take 30 days, and its messages are kept for 90. */
  bulkSend: 120 * DAY_SECONDS,
  /** What tells of an API key that opens nothing any more. */
  revokedKey: 30 * DAY_SECONDS,
  /** An export that nobody removed, a day after its longest time; and the receipt of an erasure. */
  archiveJob: 91 * DAY_SECONDS,
  /** An entry of audit: what happened a year ago can be looked up while the year is being looked at. */
  audit: 400 * DAY_SECONDS,
  event: 30 * DAY_SECONDS,
  /** The mark that a log takes no events any more: for longer than a queue keeps a fact. */
  endedLog: 15 * DAY_SECONDS,
  handledFact: 30 * DAY_SECONDS,
  /** The way to the last message with options in a chat. */
  askedChoice: DAY_SECONDS,
  queueMark: DAY_SECONDS,
  /** How far a chain of a webhook has come: for longer than the events of it are kept. */
  chain: 60 * DAY_SECONDS,
  attempt: 30 * DAY_SECONDS,
  // The note of a delivery that waits is kept as long as its queue keeps the delivery.
  waitingDelivery: 14 * DAY_SECONDS,
  transition: 90 * DAY_SECONDS,
  unqueued: DAY_SECONDS,
  /** The note that something is due on a connection: for longer than nobody looks. */
  dueNote: 30 * DAY_SECONDS,
  /** The plaintext of a message that cannot be shown yet, sealed. */
  plaintext: 30 * DAY_SECONDS,
  /** A message as it left, sealed: for so long it is repeated to a device that asks for it. */
  sentMessage: 30 * DAY_SECONDS,
} as const satisfies Record<string, number>;

/** The value of the `ttl` attribute of a record that is written now. */
export function expiryOf(kind: keyof typeof retentionSeconds, nowMs: number): number {
  return Math.floor(nowMs / 1_000) + retentionSeconds[kind];
}

/** Whether a record has expired although DynamoDB has not deleted it yet. */
export function isExpired(item: { readonly ttl?: unknown }, nowMs: number): boolean {
  return typeof item.ttl === 'number' && item.ttl * 1_000 <= nowMs;
}
