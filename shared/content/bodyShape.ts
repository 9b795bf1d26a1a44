import { z } from 'zod';
import type { BodyField, Room } from './bodyField.ts';

/**
 * The body of a kind of content, declared once: its schema and its bounds follow from its fields. A stranger fills it, so
 * that every text and every list has a limit of its own, and all of them together have one, too: whatever is in it, a body
 * fits into an event. What is cut shows as `truncated`. Fields are filled in their order until the room is used up, so the
 * short ones stand first.
 */
export type BodyFields = Readonly<Record<string, BodyField<unknown>>>;

type ValueOf<Field> = Field extends BodyField<infer Value> ? Value : never;
type IsAlways<Field> = Field extends { readonly fallback: unknown } ? true : false;
type Simplify<Value> = { [Name in keyof Value]: Value[Name] };

/** The value of such fields: those with a fallback are always there, all others may be absent. */
export type RecordOf<Fields extends BodyFields> = Simplify<
  {
    readonly [Name in keyof Fields as IsAlways<Fields[Name]> extends true ? Name : never]: ValueOf<Fields[Name]>;
  } & {
    readonly [Name in keyof Fields as IsAlways<Fields[Name]> extends true ? never : Name]?:
      ValueOf<Fields[Name]> | undefined;
  }
>;
export type BodyOfShape<Fields extends BodyFields> = RecordOf<Fields> & { readonly truncated?: true | undefined };

/** The units of the texts of a body together; a control character is six bytes of JSON, and an event has 400,000. */
export const BODY_UNITS = 56_000;

export interface BodyShape<Fields extends BodyFields> {
  readonly shown: z.ZodType<BodyOfShape<Fields>>;
  readonly in: { readonly bound: (body: BodyOfShape<Fields>) => BodyOfShape<Fields> };
}

const truncated = z.literal(true).optional().meta({ description: 'Something in it was longer than what is kept.' });

/** Schema and bounds of a body with these fields. */
export function bodyShape<const Fields extends BodyFields>(fields: Fields): BodyShape<Fields> {
  const shown = z.object({ ...schemasOf(fields), truncated });
  const bound = (body: BodyOfShape<Fields>): BodyOfShape<Fields> => {
    const room: Room = { units: BODY_UNITS, isCut: false };
    const values = boundFields(fields, body, room);
    const isTruncated = room.isCut || (body as { readonly truncated?: unknown } | undefined)?.truncated === true;
    return { ...values, ...(isTruncated ? { truncated: true } : {}) } as BodyOfShape<Fields>;
  };
  return { shown: shown as unknown as z.ZodType<BodyOfShape<Fields>>, in: { bound } };
}

/** An object within a body; absent where nothing is in it. */
export function record<const Fields extends BodyFields>(fields: Fields): BodyField<RecordOf<Fields>> {
  return {
    schema: z.object(schemasOf(fields)) as unknown as z.ZodType<RecordOf<Fields>>,
    bound: (value, room) => {
      if (typeof value !== 'object' || value === null) return undefined;
      const values = boundFields(fields, value, room);
      return Object.keys(values).length === 0 ? undefined : (values as RecordOf<Fields>);
    },
  };
}

function schemasOf(fields: BodyFields): Record<string, z.ZodType> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, 'fallback' in field ? field.schema : field.schema.optional()]),
  );
}

function boundFields(fields: BodyFields, value: unknown, room: Room): Record<string, unknown> {
  const given = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const bound: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const own = Object.hasOwn(given, name) ? given[name] : undefined;
    const kept = own === undefined || own === null ? undefined : field.bound(own, room);
    if (kept !== undefined) bound[name] = kept;
    else if ('fallback' in field) bound[name] = field.fallback;
  }
  return bound;
}
