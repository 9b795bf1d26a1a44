import { z } from 'zod';
import { node, type BinaryNode } from './node.ts';
import type { Chat } from './phoneTraffic.ts';
import { ACKNOWLEDGED, addressStanza, OF_THE_SERVER, sealRaw, WRITTEN_BY_SERVER } from './rawTraffic.ts';
import type { Simulated } from './simulated.ts';
import type { Account } from './world.ts';

/** Routes of the control API for a contact who says what no app lets its owner say: any bytes, any stanza. */
type Handler = (simulator: Simulated, parameters: readonly string[], body: unknown) => unknown;
type Route = readonly [method: string, path: RegExp, handler: Handler];
/** Finders, which throw the API's refusal when there is no such phone, or no such chat. */
type Find = (simulator: Simulated, digits: string | undefined) => Account;
type FindChat = (simulator: Simulated, account: Account, to: string) => Chat;

/** A stanza as JSON. Content is a text, a list of stanzas, or bytes as `{base64}`. */
export interface StanzaJson {
  readonly tag: string;
  readonly attrs?: Readonly<Record<string, string>> | undefined;
  readonly content?: string | { readonly base64: string } | readonly StanzaJson[] | undefined;
}

const to = z
  .string()
  .regex(/^([1-9]\d{6,14}|\d+@g\.us)$/, 'must be a number of 7 to 15 digits without +, or the id of a group');
const byServer = `must not name what the server writes: ${WRITTEN_BY_SERVER.join(', ')}`;
const isForged = (attrs: object): boolean => Object.keys(attrs).some((name) => WRITTEN_BY_SERVER.includes(name));
const attrs = z.record(z.string(), z.string().nullable()).refine((value) => !isForged(value), byServer);
const common = {
  to,
  id: z.string().min(1).optional(),
  type: z.string().optional(),
  addressing: z.enum(['pn', 'lid']).default('pn'),
  attrs: attrs.default({}),
} as const;
const rawSchema = z.union(
  [
    z.strictObject({ ...common, plaintext: z.base64(), padded: z.boolean().default(false) }),
    z.strictObject({ ...common, ciphertext: z.base64(), enc: z.string().default('msg') }),
  ],
  'must be {to, plaintext, padded?} or {to, ciphertext, enc?}, both base64, with or without id, type, addressing and attrs (texts; null leaves one out), and must not name what the server writes',
);
export const stanzaJson: z.ZodType<StanzaJson> = z.lazy(() =>
  z.strictObject({
    tag: z.string().min(1),
    attrs: z.record(z.string(), z.string()).optional(),
    content: z.union([z.string(), z.strictObject({ base64: z.base64() }), z.array(stanzaJson)]).optional(),
  }),
);
const stanzaSchema = z.strictObject({
  to,
  by: z.enum(['pn', 'lid', 'server']).default('pn'),
  stanza: stanzaJson
    .refine(({ tag }) => !OF_THE_SERVER.includes(tag), `must not be one of ${OF_THE_SERVER.join(', ')}`)
    .refine((stanza) => !isForged(stanza.attrs ?? {}), byServer),
});

export type RawBody = z.input<typeof rawSchema>;
export type StanzaBody = z.input<typeof stanzaSchema>;

export function makeRawRoutes(find: Find, findChat: FindChat): readonly Route[] {
  return [
    [
      'POST',
      /^\/phones\/(\d+)\/raw$/,
      async (simulator, [digits], body) => {
        const account = find(simulator, digits);
        const asked = rawSchema.parse(body);
        const chat = findChat(simulator, account, asked.to);
        const { id, copies } = await sealRaw(simulator.world, account, chat, {
          bytes:
            'plaintext' in asked
              ? { plaintext: Buffer.from(asked.plaintext, 'base64') }
              : { ciphertext: Buffer.from(asked.ciphertext, 'base64'), enc: asked.enc },
          padded: 'padded' in asked && asked.padded,
          id: asked.id,
          addressing: asked.addressing,
          attrs: { ...(asked.type === undefined ? {} : { type: asked.type }), ...asked.attrs },
        });
        for (const copy of copies) simulator.relay.route(copy);
        return { id, devices: copies.length };
      },
    ],
    [
      'POST',
      /^\/phones\/(\d+)\/stanza$/,
      (simulator, [digits], body) => {
        const account = find(simulator, digits);
        const { to: chat, by, stanza } = stanzaSchema.parse(body);
        const copies = addressStanza(simulator.world, account, findChat(simulator, account, chat), toNode(stanza), by);
        for (const copy of copies) {
          const device = copy.account.devices.get(copy.device);
          if (device === undefined) continue;
          if (ACKNOWLEDGED.includes(stanza.tag)) simulator.logins.enqueue(device, copy.stanza);
          else simulator.logins.tell(device, copy.stanza);
        }
        return { devices: copies.length };
      },
    ],
  ];
}

export function toNode({ tag, attrs: given = {}, content }: StanzaJson): BinaryNode {
  if (content === undefined || typeof content === 'string') return node(tag, { ...given }, content);
  return 'base64' in content
    ? node(tag, { ...given }, Buffer.from(content.base64, 'base64'))
    : node(tag, { ...given }, content.map(toNode));
}
