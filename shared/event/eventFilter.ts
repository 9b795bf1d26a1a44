import { z } from 'zod';
import { chatKindOf, chatKinds, type ChatKind } from '../connection/chatKind.ts';
import { eventTypes, type EventType, type TenantEvent } from './event.ts';

/** A choice of events; a field that is left out leaves none out. */
export interface EventFilter {
  readonly types?: ReadonlySet<EventType> | undefined;
  readonly connectionId?: string | undefined;
  readonly chatKind?: ReadonlySet<ChatKind> | undefined;
}

/** Whether a reader wants an event. */
export function isWanted(event: TenantEvent, filter: EventFilter): boolean {
  const { types, connectionId, chatKind } = filter;
  return (
    (types === undefined || types.has(event.type)) &&
    (connectionId === undefined || connectionId === event.connectionId) &&
    (chatKind === undefined || isOfKind(event, chatKind))
  );
}

function isOfKind(event: TenantEvent, kinds: ReadonlySet<ChatKind>): boolean {
  const address = chatAddressOf(event);
  return address !== undefined && kinds.has(chatKindOf(address));
}

/** The parts of an event that name its chat; the first that is there counts. A call names a person where it names no group. */
const PARTS = ['chat', 'group', 'caller', 'recipient', 'contact'] as const;

/** The address of the chat that an event is about; undefined where it is about none. */
export function chatAddressOf({ data }: TenantEvent): string | undefined {
  const parties = data as Partial<Record<(typeof PARTS)[number], { readonly id?: unknown }>>;
  const id = PARTS.map((part) => parties[part]?.id).find((one) => one !== undefined);
  return typeof id === 'string' ? id : undefined;
}

/** The query parameters of a filter, as every route has them that reads events. */
export const filterQuery = {
  types: listOf(eventTypes, 'types of events with commas between; GET /v1/event-types lists them').meta({
    description: 'Only events of these types, with commas between.',
    example: 'message.received,message.status',
  }),
  connectionId: z.string().max(64).optional().meta({ description: 'Only events of this connection.' }),
  chatKind: listOf(chatKinds, `kinds of chats with commas between: ${chatKinds.join(', ')}`).meta({
    description: 'Only events about chats of these kinds, with commas between. Events about no chat are left out then.',
    example: 'people,groups',
  }),
} as const;

function listOf<Choice extends string>(choices: readonly Choice[], what: string) {
  const known: ReadonlySet<string> = new Set(choices);
  return z
    .string()
    .transform((text) => text.split(','))
    .refine((given) => given.every((one) => known.has(one)), { error: `must be ${what}` })
    .transform((given): ReadonlySet<Choice> => new Set(given as Choice[]))
    .optional();
}
