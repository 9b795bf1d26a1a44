import { z } from 'zod';
import { isPerson, toRecipient } from '../../kernel/jid.ts';
import { contactSchema } from '../../message/party.ts';
import { actionRow } from '../actionRow.ts';

export const callReject = actionRow({
  kind: 'call_reject',
  method: 'POST',
  path: 'calls/{callId}/reject',
  summary: 'Refuse a call that rings',
  description:
    'The caller is told that the call is refused, and the phone stops to ring. A worker knows the last hundred calls of a connection since it came online; for ' +
    'an older one say who calls, as `call.received` has it. WhatsApp takes a refusal of a call that is over, too.',
  request: z.strictObject({
    callId: z.string().min(1).max(128).meta({ description: 'The `callId` of the event.' }),
    caller: z
      .string()
      .min(1)
      .max(64)
      .refine((text) => isPerson(toRecipient(text) ?? ''), 'Write the `caller.id` of the event, or a phone number.')
      .optional()
      .meta({ description: 'Who calls; needed only if the worker does not know.' }),
  }),
  result: z.object({ callId: z.string(), caller: contactSchema }),
  example: {
    request: { callId: 'C1B2A3D4E5F60718293A4B5C6D7E8F90' },
    result: {
      callId: 'C1B2A3D4E5F60718293A4B5C6D7E8F90',
      caller: { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' },
    },
  },
  effect: 'repeatable',
  deadlineMs: 16_000,
  budget: { burst: 10, perSecond: 2 },
  access: 'tenant',
});
