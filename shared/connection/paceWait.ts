interface WaitRule {
  readonly state: 'first_contacts_wait' | 'all_wait';
  readonly sentence: string;
}

/** Why messages wait because of their pace: a stable code and one sentence for a tenant. */
export const waitRules = {
  first_contacts_restricted: {
    state: 'first_contacts_wait',
    sentence:
      'WhatsApp refused a message to a new contact (463, 475). No message to a person with whom this account never talked leaves until the end of the rest; existing chats go on.',
  },
  first_contacts_time_locked: {
    state: 'first_contacts_wait',
    sentence:
      'WhatsApp has locked this account against new chats until the time that it named. Messages to new contacts wait; existing chats go on.',
  },
  first_contacts_capped: {
    state: 'first_contacts_wait',
    sentence:
      'The new chats that WhatsApp allows this account in its present cycle are used up. Messages to new contacts wait; existing chats go on.',
  },
  first_contacts_used_up: {
    state: 'first_contacts_wait',
    sentence:
      'This connection has written to as many new contacts as its pace allows in 24 hours. Messages to more of them wait; existing chats go on.',
  },
  sends_too_fast: {
    state: 'all_wait',
    sentence:
      'WhatsApp refused a message because this account wrote too fast (429). All messages wait in their order until the end of the rest.',
  },
} as const satisfies Record<string, WaitRule>;
export type WaitCode = keyof typeof waitRules;
export const waitCodes = Object.keys(waitRules) as [WaitCode, ...WaitCode[]];
export const waitStates = ['first_contacts_wait', 'all_wait'] as const;

export interface PaceWait {
  readonly code: WaitCode;
  readonly untilMs: number;
}
