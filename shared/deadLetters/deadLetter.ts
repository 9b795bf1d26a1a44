import type { Message } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import {
  deadLetterNameOf,
  commandQueueName,
  deliveryQueueName,
  eventQueueName,
  mediaQueueName,
} from '../platform/queues.ts';
import { failureSchema, type Failure } from '../webhook/attempt.ts';

/** The kinds of work that a message in a queue asks for. Each kind has one queue of dead letters. */
export const letterKinds = ['commands', 'events', 'deliveries', 'media'] as const;
export type LetterKind = (typeof letterKinds)[number];

/** The name of the queue with the dead letters of a kind. */
export function deadQueueOf(kind: LetterKind, stage: string): string {
  return deadLetterNameOf(stage, aQueueOf[kind](stage));
}

const aQueueOf = {
  commands: (stage) => commandQueueName(stage, 0),
  events: (stage) => eventQueueName(stage),
  deliveries: deliveryQueueName,
  media: mediaQueueName,
} as const satisfies Record<LetterKind, (stage: string) => string>;

/**
 * Why a letter is dead. Whoever puts one away names the reason in an attribute of the message; what SQS itself puts away
 * has none, and was received too often.
 */
export const deadReasons = {
  not_taken: 'Its receiver did not take it at any attempt of its schedule.',
  received_too_often: 'It was given out as often as its queue allows, and never done.',
  unreadable: 'It cannot be read: its sender and its reader are of versions that do not know each other.',
  malformed: 'It has a form that no release knows.',
  too_large: 'It is larger than what can be stored.',
  unknown_kind: 'It is of a kind that this release does not know.',
  refused: 'A store refuses it for good.',
} as const satisfies Record<string, string>;
export type DeadReason = keyof typeof deadReasons;

/** The attribute of a message that names the reason. */
export const REASON_ATTRIBUTE = 'deadReason';

/** A message attribute that says why a letter is put away. */
export function toReasonAttribute(reason: DeadReason) {
  return { [REASON_ATTRIBUTE]: { DataType: 'String', StringValue: reason } } as const;
}

const ERROR_ATTRIBUTES = { firstFailure: 'firstError', lastFailure: 'lastError' } as const;
type ErrorName = keyof typeof ERROR_ATTRIBUTES;

/** The message attributes that say how the first and the last attempt failed, where that is known. */
export function toErrorAttributes(failures: Readonly<Partial<Record<ErrorName, Failure | undefined>>>) {
  return Object.fromEntries(
    Object.entries(failures).flatMap(([name, failure]) =>
      failure === undefined
        ? []
        : [[ERROR_ATTRIBUTES[name as ErrorName], { DataType: 'String', StringValue: JSON.stringify(failure) }]],
    ),
  );
}

/** The names of all attributes that say why a letter is dead: they are left behind when it is sent again. */
export const DEAD_ATTRIBUTES: ReadonlySet<string> = new Set([REASON_ATTRIBUTE, ...Object.values(ERROR_ATTRIBUTES)]);

/** The ids of what a letter is about. None of what a message of WhatsApp says is read. */
export interface LetterNames {
  readonly tenantId?: string | undefined;
  readonly connectionId?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly messageId?: string | undefined;
  readonly actionId?: string | undefined;
  readonly mediaId?: string | undefined;
  readonly webhookId?: string | undefined;
  readonly eventId?: string | undefined;
  /** The kind of the command, of the job, or of the first fact. */
  readonly what?: string | undefined;
}

/** A dead letter, as it is shown. */
export interface DeadLetter extends LetterNames {
  /** The kind and the id that SQS gave the message, which stays the same however often it is received. */
  readonly letterId: string;
  readonly kind: LetterKind;
  readonly reason: DeadReason;
  /** When its queue got it, in milliseconds since 1970; a queue without order keeps the time of the first one. */
  readonly sinceMs: number;
  readonly bytes: number;
  /** How its first and its last attempt failed, where that is known. */
  readonly firstFailure?: Failure | undefined;
  readonly lastFailure?: Failure | undefined;
}

const LETTER_ID = new RegExp(`^(${letterKinds.join('|')})_[0-9a-zA-Z-]{1,64}$`);

/** The kind of the letter with this id; undefined for what is no id of a letter. */
export function kindOfLetterId(text: string): LetterKind | undefined {
  return LETTER_ID.exec(text)?.[1] as LetterKind | undefined;
}

/** A received message as a dead letter. A body that nobody can read is one without names. */
export function toDeadLetter(kind: LetterKind, message: Message): DeadLetter {
  const { MessageId = '', Body = '', Attributes, MessageAttributes } = message;
  const named = MessageAttributes?.[REASON_ATTRIBUTE]?.StringValue ?? '';
  return {
    letterId: `${kind}_${MessageId}`,
    kind,
    reason: Object.hasOwn(deadReasons, named) ? (named as DeadReason) : 'received_too_often',
    sinceMs: Number(Attributes?.SentTimestamp ?? 0),
    bytes: Buffer.byteLength(Body),
    ...failureIn(message, 'firstFailure'),
    ...failureIn(message, 'lastFailure'),
    ...namesIn(Body),
  };
}

function failureIn({ MessageAttributes }: Message, name: ErrorName): Partial<Record<ErrorName, Failure>> {
  const text = MessageAttributes?.[ERROR_ATTRIBUTES[name]]?.StringValue;
  const { data } = failureSchema.safeParse(text === undefined ? undefined : parseJson(text));
  return data === undefined ? {} : { [name]: data };
}

/** A word or an id that a body of ours has; anything else is left out. */
const word = z
  .string()
  .regex(/^[\w.:#-]{1,128}$/)
  .optional()
  .catch(undefined);
const bodySchema = z.object({
  tenantId: word,
  connectionId: word,
  correlationId: word,
  messageId: word,
  actionId: word,
  mediaId: word,
  endpointId: word,
  eventId: word,
  kind: word,
  event: z.string().optional().catch(undefined),
  events: z.array(z.unknown()).optional().catch(undefined),
});
const factSchema = z.object({ kind: word });
const eventSchema = z.object({ connectionId: word });
const batchSchema = z.object({ events: z.array(z.unknown()) });

function namesIn(text: string): LetterNames {
  const { data } = bodySchema.safeParse(parseJson(text));
  if (data === undefined) return {};
  const { endpointId, kind, event, events, ...names } = data;
  const fact = factSchema.safeParse(events?.[0]).data;
  const body = event === undefined ? undefined : parseJson(event);
  const told = eventSchema.safeParse(batchSchema.safeParse(body).data?.events[0] ?? body).data;
  return withoutAbsent({
    ...names,
    connectionId: names.connectionId ?? told?.connectionId,
    webhookId: endpointId,
    what: kind ?? fact?.kind,
  });
}

function withoutAbsent(names: LetterNames): LetterNames {
  return Object.fromEntries(Object.entries(names).filter(([, value]) => value !== undefined));
}

/** What a text says as JSON; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
