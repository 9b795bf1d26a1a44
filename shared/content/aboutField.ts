import { said, word } from './bodyField.ts';

/** The field of a kind that is about another message. Recording fills it: its writer knows WhatsApp's id only. */
export const aboutFields = {
  message_id: said(word(), 'The id of the message that it is about, where that is known here.'),
} as const;
