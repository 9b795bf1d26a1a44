/**
 * The rule of which sender keys are kept. A sender key is how one member writes to one group, and everybody who can
 * write to us can put one into a message, for any group that they like to name. So it counts only for the chat that the
 * stanza came from, an address that WhatsApp's server writes:
 *
 * | the stanza comes from      | and the key is for | then it is |
 * | -------------------------- | ------------------ | ---------- |
 * | a group                    | that group         | kept       |
 * | status or a broadcast list | the same           | kept       |
 * | any of these               | another            | ignored    |
 * | a person                   | whatever it may be | ignored    |
 *
 * WhatsApp's own clients give a key to the members inside a message to the group, never in a chat with one person. Keys
 * that nobody uses expire after 90 days (`keyLayout`).
 */
export function isKeyForItsGroup(groupId: string, from: string | undefined): boolean {
  return groupId === from && ADDRESS.test(groupId);
}

/**
 * The form of an address: a group is its number, in old groups the number of its founder and a time; a broadcast list
 * is a number, or the list of all status.
 */
const ADDRESS = /^(?:\d{1,20}(?:-\d{1,20})?@g\.us|(?:\d{1,20}|status)@broadcast)$/;
