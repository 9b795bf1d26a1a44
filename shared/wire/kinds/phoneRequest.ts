import type { BodyOf } from '../../content/content.ts';
import type { Understood } from '../understoodKind.ts';

const REQUEST_PHONE_NUMBER = 54;

export const phoneRequest = {
  fields: [REQUEST_PHONE_NUMBER],
  context: 1,
  fromWire: () => ({}),
} as const satisfies Understood<BodyOf<'phone_request'>>;
