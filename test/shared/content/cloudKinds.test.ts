import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { AnyContentKind } from '../../../shared/content/contentKind.ts';
import { contentKinds } from '../../../shared/content/contentKinds.ts';

/**
 * The types of messages of WhatsApp's Cloud API that a tenant of ours meets, with the fields of each in its webhooks
 * (developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages). Its `system` and
 * `request_welcome` come from no person. Its `edit` and `revoke` are events of their own here.
 */
const cloudTypes: Readonly<Record<string, readonly string[]>> = {
  text: ['body'],
  image: ['mime_type', 'sha256', 'caption'],
  video: ['mime_type', 'sha256', 'caption'],
  audio: ['mime_type', 'sha256', 'voice'],
  document: ['mime_type', 'sha256', 'filename', 'caption'],
  sticker: ['mime_type', 'sha256', 'animated'],
  location: ['latitude', 'longitude', 'name', 'address', 'url'],
  contacts: ['name', 'phones', 'emails', 'urls', 'addresses', 'org', 'birthday'],
  reaction: ['message_id', 'emoji'],
  interactive: ['type', 'button_reply', 'list_reply', 'nfm_reply'],
  button: ['payload', 'text'],
  // A linked device is told what a template says, and not what it was made of.
  template: ['name'],
  // What is in an order is asked for with its id and its token.
  order: ['text'],
  pin: ['message_id', 'type', 'expiration_days'],
  unsupported: [],
};

const rows: readonly (readonly [string, AnyContentKind])[] = Object.entries(contentKinds);

interface Schema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

function fieldsIn({ properties = {}, items, anyOf = [], oneOf = [] }: Schema): readonly string[] {
  return [
    ...Object.keys(properties),
    ...[...(items === undefined ? [] : [items]), ...anyOf, ...oneOf].flatMap(fieldsIn),
  ];
}

describe('the Cloud API', () => {
  it.each(rows)(
    'has a type of this name where the row says so, and its fields are ours: %s',
    (type, { cloud, shown }) => {
      const fields = fieldsIn(z.toJSONSchema(shown, { unrepresentable: 'any', io: 'input' }) as Schema);

      expect(cloud === true).toBe(cloudTypes[type] !== undefined);
      expect(cloudTypes[type]?.filter((name) => !fields.includes(name)) ?? []).toEqual([]);
    },
  );

  it('has no type that is forgotten here', () => {
    expect(Object.keys(cloudTypes).filter((type) => !Object.hasOwn(contentKinds, type))).toEqual([]);
  });
});
