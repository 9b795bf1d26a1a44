/** The whole seconds of a time that a schema has accepted, in which WhatsApp counts most times. */
export function toSeconds(time: string): number {
  return Math.floor(Date.parse(time) / 1_000);
}
