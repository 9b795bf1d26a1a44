import { z } from 'zod';
import { toRecipient } from '../kernel/jid.ts';

/**
 * What all actions have in common that change the state which an account's own devices share. The budget is what a busy person
 * does by hand: WhatsApp's own limit is not known.
 */
export const sharedStateAction = {
  method: 'POST',
  effect: 'repeatable',
  deadlineMs: 20_000,
  access: 'tenant',
  budget: { burst: 10, perSecond: 1 },
} as const;

/** The chat in the examples of these actions. */
export const exampleChat = {
  id: '236471520047@lid',
  phoneNumber: '+4915123456789',
  lid: '236471520047@lid',
};

/** The chat of a request: a person or a group. */
export const chatAddress = z
  .string()
  .min(1)
  .max(64)
  .refine(
    (text) => toRecipient(text) !== undefined,
    'Write it like +49 151 23456789, or as the address of a person or group that this API showed you.',
  )
  .meta({ description: 'Phone number in international form, or the address of a person or group.' });
