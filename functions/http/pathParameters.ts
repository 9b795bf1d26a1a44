import { z } from 'zod';

interface ParameterRow {
  readonly description: string;
  readonly example: string;
}

const NUMBER_OR_ADDRESS = 'a phone number in international form, or an address that this API showed';

/** What stands in the paths of the API, by its name in the braces. */
const rows: Readonly<Record<string, ParameterRow>> = {
  actionId: { description: 'An action, as its request answered it.', example: 'act_01K3C5F7XQ8M2V4N6B9D0E1G3H' },
  bulkSendId: { description: 'A bulk send of the connection.', example: 'blk_01K3C5F7XQ8M2V4N6B9D0E1G3H' },
  callId: { description: 'A call, as its event names it.', example: '5E2F9A1C0B7D' },
  channel: { description: 'A channel, by its address.', example: '120363000000000002@newsletter' },
  chat: { description: `A chat: ${NUMBER_OR_ADDRESS}, also of a group.`, example: '+4915123456789' },
  code: { description: 'The code of a problem.', example: 'connection_not_found' },
  community: { description: 'A community, by its address.', example: '120363000000000003@g.us' },
  connectionId: { description: 'A connection of the tenant.', example: 'con_01K3C5F7XQ8M2V4N6B9D0E1G3H' },
  contact: { description: `A person: ${NUMBER_OR_ADDRESS}.`, example: '+4915123456789' },
  erasureId: { description: 'An erasure of the tenant.', example: 'ers_01K3C5F7XQ8M2V4N6B9D0E1G3H' },
  exportId: { description: 'An export of the tenant.', example: 'exp_01K3C5F7XQ8M2V4N6B9D0E1G3H' },
  group: { description: 'A group, by its address.', example: '120363000000000001@g.us' },
  keyId: { description: 'An API key, by its id and never by its secret.', example: 'key_01K3C5F7XQ8M2V4N6B9D0E1G3H' },
  label: { description: "A label of the account, by WhatsApp's number for it.", example: '3' },
  linkId: { description: 'A link to the pairing page of the connection.', example: 'plk_01K3C5F7XQ8M2V4N6B9D0E1G3H' },
  mediaId: { description: 'A file of the tenant.', example: 'med_01K3C5F7XQ8M2V4N6B9D0E1G3H' },
  messageId: { description: 'A message of the connection.', example: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H' },
  name: { description: 'A file of the export.', example: 'manifest.json' },
  post: { description: 'A post of the channel, by its number there.', example: '104' },
  tenantId: { description: 'A tenant.', example: 'tnt_01K3C5F7XQ8M2V4N6B9D0E1G3H' },
  webhookId: { description: 'A webhook of the tenant.', example: 'end_01K3C5F7XQ8M2V4N6B9D0E1G3H' },
  workerId: { description: 'A worker of the fleet.', example: 'wrk_01K3C5F7XQ8M2V4N6B9D0E1G3H' },
};

/** The schema of a parameter in a path, with what it means. A name without a row has no description; a test asks for one. */
export function parameterOf(name: string): z.ZodString {
  const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
  return row === undefined ? z.string() : z.string().meta({ ...row });
}
