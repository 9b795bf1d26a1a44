import type { BodyOf } from '../../content/content.ts';
import { toMoment } from '../moment.ts';
import { fieldOf, inFields } from '../oneField.ts';
import { integer, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';

type Body = BodyOf<'channel_invite'>;

const ADMIN_INVITE = 78;
const FOLLOWER_INVITE = 113;
const admin = shape({ channel: text(1), name: text(2), caption: text(4), expiresAt: integer(5) });
const follower = shape({ channel: text(1), name: text(2), caption: text(4) });

export const channelInvite: Understood<Body> = inFields<Body>([
  fieldOf({
    field: ADMIN_INVITE,
    shape: admin,
    context: 6,
    toBody: ({ channel = '', name, caption, expiresAt }): Body => ({
      channel_id: channel,
      name,
      role: 'admin',
      expires_at: toMoment(expiresAt),
      caption,
    }),
  }),
  fieldOf({
    field: FOLLOWER_INVITE,
    shape: follower,
    context: 5,
    toBody: ({ channel = '', name, caption }): Body => ({ channel_id: channel, name, role: 'follower', caption }),
  }),
]);
