/**
 * Which sender keys are kept. A sender key is how one member writes to one group, and whoever can write to us can put one
 * into a message, for any group that he likes to name. So it counts only for where the stanza came from, an address that
 * WhatsApp's server writes:
 *
 * | the stanza comes from      | and the key is for  | then it is |
 * | -------------------------- | ------------------- | ---------- |
 * | a group                    | that group          | kept       |
 * | status or a broadcast list | the same            | kept       |
 * | any of these               | another             | ignored    |
 * | a person                   | whatever it may be  | ignored    |
 *
 * WhatsApp's own clients give a key to the members inside a message to the group, never in a chat with one person. Keys that
 * nobody uses go after 90 days (`keyLayout`).
 */
export function isKeyForItsGroup(groupId: string, from: string | undefined): boolean {
  return groupId === from && ADDRESS.test(groupId);
}

/** A group: its number, in old groups the number of who made it and a time. A broadcast list, or the one of all status. */
const ADDRESS = /^(?:\d{1,20}(?:-\d{1,20})?@g\.us|(?:\d{1,20}|status)@broadcast)$/;
