import { z } from 'zod';
import { chatSchema, contactSchema, toChat, toContact } from '../../message/party.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { address, commonFields, whatsAppId } from './factField.ts';
import { digest } from './factKey.ts';
import { factRow } from './factRow.ts';

const schema = z.object({
  ...commonFields,
  kind: z.literal('call'),
  callId: whatsAppId,
  /** The person who calls, without device. */
  caller: address,
  callerAlias: address.optional(),
  /** The group that is called together. */
  group: address.optional(),
  video: z.boolean(),
  /** Whether the caller says that several people are called together. */
  isGroupCall: z.boolean(),
  /** Whether the call is being refused, because the connection's settings say so. */
  rejected: z.boolean(),
});

/** A call to the account. */
export type CallFact = z.infer<typeof schema>;

const callReceived = eventRow({
  type: 'call.received',
  data: z
    .object({
      callId: z.string().meta({ description: "WhatsApp's id of the call." }),
      caller: contactSchema,
      group: chatSchema.optional().meta({ description: 'The group that is called together.' }),
      video: z.boolean(),
      isGroupCall: z.boolean().meta({ description: 'Several people are called together, as the caller says.' }),
      rejected: z.boolean().meta({ description: 'It is refused, as the settings of the connection ask for.' }),
    })
    .meta({ id: 'CallData' }),
  description: 'Somebody calls the account.',
  example: {
    callId: 'C1B2A3D4E5F60718293A4B5C6D7E8F90',
    caller: { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' },
    video: false,
    isGroupCall: false,
    rejected: true,
  },
});

export const callFact = factRow({
  schema,
  writtenBy: 'strangers',
  people: [['caller', 'callerAlias']],
  keysByName: ({ callId, caller, callerAlias }) =>
    [caller, callerAlias].flatMap((name) => (name === undefined ? [] : [callKey(callId, name)])),
  decide: ({ callId, caller, callerAlias, group, video, isGroupCall, rejected, atMs }, { origin }) => {
    const inGroup = group === undefined ? {} : { group: toChat(group) };
    const told = { callId, caller: toContact(caller, callerAlias), ...inGroup, video, isGroupCall, rejected };
    return { plan: 'stored', draft: toDraft(callReceived, origin, atMs, told) };
  },
  events: [callReceived],
});

/** The key of a call. */
export function callKey(callId: string, caller: string): string {
  return `call:${digest(callId, caller)}`;
}
