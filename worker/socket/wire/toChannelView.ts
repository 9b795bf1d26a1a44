import { z } from 'zod';
import type { channelRoles, ChannelView } from '../../../shared/action/kinds/channels.ts';
import { toChannel } from '../../../shared/kernel/jid.ts';
import { tableEntry } from '../../../shared/kernel/tableEntry.ts';
import { toShownText } from './foreignText.ts';
import { toCount, toTime } from './toGroup.ts';

/** Channels as WhatsApp describes them. Owners write what is in them, so that all of it is bounded; parts that are not as expected are left out. */
const NAME_CHARACTERS = 256;
const DESCRIPTION_CHARACTERS = 2_048;

const text = z.object({ text: z.string().nullish() }).nullish().catch(undefined);
const word = z.string().nullish().catch(undefined);
const written = z
  .union([z.string(), z.number().transform(String)])
  .nullish()
  .catch(undefined);
const schema = z.object({
  id: z.string(),
  thread_metadata: z.object({
    name: text,
    description: text,
    invite: word,
    creation_time: written,
    subscribers_count: written,
    verification: word,
  }),
  viewer_metadata: z.object({ role: word, mute: word }).nullish().catch(undefined),
});

const roles: Readonly<Record<string, (typeof channelRoles)[number]>> = {
  guest: 'guest',
  subscriber: 'follower',
  admin: 'admin',
  owner: 'owner',
};
const INVITE = /^[\w-]{8,64}$/;

/** A channel as it is shown; undefined for anything that is none. */
export function toChannelView(told: unknown): ChannelView | undefined {
  const parsed = schema.safeParse(told);
  const id = parsed.success ? toChannel(parsed.data.id) : undefined;
  if (!parsed.success || id === undefined) return undefined;
  const { thread_metadata: thread, viewer_metadata: viewer } = parsed.data;
  const description = toShownText(thread.description?.text ?? '', DESCRIPTION_CHARACTERS);
  const followers = toCount(thread.subscribers_count ?? undefined);
  const createdAt = toTime(thread.creation_time ?? undefined);
  const role = tableEntry(roles, viewer?.role?.toLowerCase() ?? '');
  const mute = viewer?.mute?.toLowerCase();
  return {
    id,
    name: toShownText(thread.name?.text ?? '', NAME_CHARACTERS),
    ...(description === '' ? {} : { description }),
    ...(followers === undefined ? {} : { followers }),
    verified: thread.verification?.toLowerCase() === 'verified',
    ...(createdAt === undefined ? {} : { created_at: createdAt }),
    ...(INVITE.test(thread.invite ?? '') ? { invite_link: `https://whatsapp.com/channel/${thread.invite}` } : {}),
    ...(role === undefined ? {} : { role }),
    ...(mute === 'on' || mute === 'off' ? { muted: mute === 'on' } : {}),
  };
}
