import { z } from 'zod';
import type { AnyContentKind } from './contentKind.ts';
import { contentKinds } from './contentKinds.ts';

/**
 * Contents of messages, as types and schemas, made of the rows in `contentKinds`. Each is `{type, [type]: body}`, as in the
 * messages of WhatsApp's Cloud API.
 */
type Kinds = typeof contentKinds;
export type ContentType = keyof Kinds;
/** The types of content that can be sent. */
export type OutboundType = { [Type in ContentType]: Kinds[Type] extends { out: unknown } ? Type : never }[ContentType];
/** The types of content that are received. */
export type InboundType = { [Type in ContentType]: Kinds[Type] extends { in: unknown } ? Type : never }[ContentType];

/** The body of a kind of message, as it is shown. */
export type BodyOf<Type extends ContentType> = z.infer<Kinds[Type]['shown']>;
/** The body of a kind of message, as a tenant asks for it. */
export type AskedOf<Type extends OutboundType> = z.infer<Kinds[Type]['out']['asked']>;

type Member<Type extends string, Body> = { readonly type: Type } & { readonly [Name in Type]: Body };
export type Content = { [Type in ContentType]: Member<Type, BodyOf<Type>> }[ContentType];
export type OutboundContent = { [Type in OutboundType]: Member<Type, AskedOf<Type>> }[OutboundType];
export type InboundContent = { [Type in InboundType]: Member<Type, BodyOf<Type>> }[InboundType];

const rows: readonly (readonly [string, AnyContentKind])[] = Object.entries(contentKinds);

/** A content of any kind, as it is shown. */
export const contentSchema = unionOf<Content>(rows.map(toShown)).meta({ id: 'MessageContent' });

/**
 * A content that WhatsApp delivered. A kind that has no form here yet arrives as `unsupported`: it is never dropped.
 * `docs/messages.md` lists how each arrives.
 */
export const inboundContentSchema = unionOf<InboundContent>(
  rows.filter(([, row]) => row.in !== undefined).map(toShown),
);

/** The types of content that are received. */
export const inboundTypes = rows.flatMap(([type, row]) =>
  row.in === undefined ? [] : [type],
) as readonly string[] as readonly InboundType[];

/** The kinds that can be sent, each with the fields that a tenant writes. */
export const askedKinds: readonly AskedKind[] = rows.flatMap(([type, { out, description, example }]) =>
  out === undefined || out.made === true
    ? []
    : [
        {
          type,
          asked: out.asked,
          acts: out.acts === true,
          answers: out.answers === true,
          description,
          example: out.example ?? example,
        },
      ],
);

export interface AskedKind {
  readonly type: string;
  readonly asked: z.ZodType;
  /** It acts on another message, and goes to the chat of that one. */
  readonly acts: boolean;
  /** It always answers another message, which the request names as `context`. */
  readonly answers: boolean;
  readonly description: string;
  readonly example: unknown;
}

/**
 * A received content, no larger than a store accepts. A content of no known kind stays as it is: the schema refuses it.
 */
export function boundContent(content: InboundContent): InboundContent {
  const { type } = content;
  const row: AnyContentKind | undefined = Object.hasOwn(contentKinds, type) ? contentKinds[type] : undefined;
  if (row?.in === undefined) return content;
  const bound = row.in.bound as (body: unknown) => unknown;
  return { type, [type]: bound((content as Readonly<Record<string, unknown>>)[type]) } as unknown as InboundContent;
}

/** Whether a content of a type has a place for our id of the message that it is about. */
export function namesMessage(type: ContentType): boolean {
  const { shown }: AnyContentKind = contentKinds[type];
  return shown instanceof z.ZodObject && Object.hasOwn(shown.shape, 'message_id');
}

/**
 * The schema of one of several objects, told apart by their `type`. Its output is what the rows say, which the compiler
 * cannot follow.
 * @param ofNoKind the problem of an object with another type
 */
export function unionOf<Value>(members: readonly z.ZodObject[], ofNoKind?: string): z.ZodType<Value> {
  const [first, ...others] = members;
  if (first === undefined) throw new Error('there is no kind of content');
  const error = ({ code, input }: z.core.$ZodRawIssue): string | undefined =>
    code === 'invalid_union' && hasType(input) ? ofNoKind : undefined;
  return z.discriminatedUnion('type', [first, ...others], { error }) as unknown as z.ZodType<Value>;
}

function hasType(input: unknown): boolean {
  return (input as { readonly type?: unknown } | null)?.type !== undefined;
}

function toShown([type, { shown, description, example }]: readonly [string, AnyContentKind]): z.ZodObject {
  const members = z.object({ type: z.literal(type), [type]: shown });
  return members.meta({ description, examples: [{ type, [type]: example }] });
}

/** The wrappings of a message when it came, from the outside in. */
export const messageFlagsSchema = z.array(z.string()).meta({
  description: 'What the message was wrapped in, such as `viewOnce` or `ephemeral`; absent when in nothing.',
  example: ['ephemeral'],
});
