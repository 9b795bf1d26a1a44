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
