/**
 * Kinds of the Cloud API, and of WhatsApp's phones, that a linked device cannot send, each with the reason and what to do
 * instead. A request for one is refused with `not_possible_on_linked_devices`, never accepted for nobody to see.
 */
export const impossibleKinds = {
  template:
    'Templates are approved by Meta and sent by its Cloud API alone; WhatsApp shows none from a linked device. Send the words as text.',
  live_location:
    'A live location is sent and ended by the phone that moves; WhatsApp gives linked devices no way to do either. Send location.',
} as const satisfies Readonly<Record<string, string>>;
export type ImpossibleKind = keyof typeof impossibleKinds;

/** What is missing where the Cloud API's interactive object is sent without saying how. */
export const INTERACTIVE_IMPOSSIBLE =
  'WhatsApp shows buttons and lists from no linked device. Give interactive.fallback: text sends them as numbered text, poll as a poll.';
