import { z } from 'zod';
import { said, word } from './bodyField.ts';

const ABOUT = 'The id of the message that it is about, where that is known here.';

/** The field of a kind that is about another message. Recording fills it: its writer knows WhatsApp's id only. */
export const aboutFields = { message_id: said(word(), ABOUT) } as const;

/** The same field in a request: it says which message, and so also which chat. */
export const askedAbout = {
  message_id: z.string().min(1).max(64).meta({ description: 'The message of this connection, by its id here.' }),
} as const;
