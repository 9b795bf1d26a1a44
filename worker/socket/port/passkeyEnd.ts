/** How a linking by passkey ends without an account. */
export type PasskeyEnd =
  /** WhatsApp refused a step. */
  | 'passkey_refused'
  /** A step was not done in time, by a person, the phone or WhatsApp. */
  | 'passkey_expired'
  /** WhatsApp asks for it in a form that is not known here. */
  | 'passkey_unsupported';
