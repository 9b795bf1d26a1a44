import { z } from 'zod';
import { chatSchema, contactSchema, toChat, toContact } from '../../message/party.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { address, commonFields, whatsAppId } from './factField.ts';
import { digest } from './factKey.ts';
import { factRow } from './factRow.ts';

const callStates = ['accepted', 'rejected', 'timeout', 'ended'] as const;
export type CallState = (typeof callStates)[number];

const schema = z.object({
  ...commonFields,
  kind: z.literal('call_status'),
  callId: whatsAppId,
  /** The person who called, without device. */
  caller: address,
  callerAlias: address.optional(),
  group: address.optional(),
  state: z.enum(callStates),
  /** Whether it was a video call; absent where the call itself came to another worker. */
  video: z.boolean().optional(),
});

/** A call to the account has come further: each state is told once. */
export type CallStatusFact = z.infer<typeof schema>;

const callStatus = eventRow({
  type: 'call.status',
  data: z
    .object({
      callId: z.string().meta({ description: "WhatsApp's id of the call, as in `call.received`." }),
      caller: contactSchema,
      group: chatSchema.optional().meta({ description: 'The group that is called together.' }),
      status: z.enum(callStates).meta({
        description:
          '`accepted` or `rejected`: on one of your devices, or by this connection. `timeout`: it rang until it was given up. `ended`: the caller hung up, or the call is over.',
      }),
      video: z.boolean().optional(),
    })
    .meta({ id: 'CallStatusData' }),
  description: 'A call to the account was accepted, refused or given up, or is over.',
  example: {
    callId: 'C1B2A3D4E5F60718293A4B5C6D7E8F90',
    caller: { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' },
    status: 'timeout',
    video: false,
  },
});

export const callStatusFact = factRow({
  schema,
  writtenBy: 'strangers',
  people: [['caller', 'callerAlias']],
  keysByName: ({ callId, caller, callerAlias, state }) =>
    [caller, callerAlias].flatMap((name) => (name === undefined ? [] : [callStatusKey(callId, name, state)])),
  decide: ({ callId, caller, callerAlias, group, state, video, atMs }, { origin }) => {
    const inGroup = group === undefined ? {} : { group: toChat(group) };
    const told = {
      callId,
      caller: toContact(caller, callerAlias),
      ...inGroup,
      status: state,
      ...(video === undefined ? {} : { video }),
    };
    return { plan: 'stored', draft: toDraft(callStatus, origin, atMs, told) };
  },
  events: [callStatus],
});

/** The key of a state of a call. */
export function callStatusKey(callId: string, caller: string, state: CallState): string {
  return `call_status:${digest(callId, caller, state)}`;
}
