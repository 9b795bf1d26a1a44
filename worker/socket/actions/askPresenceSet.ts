import type { Ask } from './asking.ts';

/** Announces presence. WhatsApp acknowledges none, so it is only known that it has left. */
export const askPresenceSet: Ask<'presence_set'> = async ({ presence, nowMs }, { state, seconds }) => {
  const forMs = seconds * 1_000;
  await presence.show(state, forMs);
  return { outcome: 'succeeded', result: { state, until: new Date(nowMs() + forMs).toISOString() } };
};
