import { z } from 'zod';
import { boundOther, wellFormed } from '../../content/contentBounds.ts';
import { boundedName } from '../../kernel/boundedName.ts';
import type { StanzaId } from '../../kernel/id.ts';
import { LAST_MS } from '../../kernel/lastMs.ts';
import { factBounds } from './factBounds.ts';

/**
 * The fields of which facts are made. A field that strangers fill has two parts: its schema, and a function that makes a value
 * fit which is too large for it, or ill-formed, before it leaves a worker.
 */
const fits = new WeakMap<object, (value: never) => unknown>();

/** Declares a field that strangers fill. @param fit must not throw, whatever its type says: it gets what a stranger wrote */
export function fitted<Schema extends z.ZodType>(
  schema: Schema,
  fit: (value: NonNullable<z.input<Schema>>) => unknown,
): Schema {
  fits.set(schema, fit);
  return schema;
}

/** The fields of a fact, each made to fit. A field without a fit of its own is cut at the bounds of parts that are not known by name. */
export function fitFields(schema: z.ZodObject, fact: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(fact).map(([name, value]): [string, unknown] => {
    const field = Object.hasOwn(schema.shape, name) ? schema.shape[name] : undefined;
    const fit = field === undefined ? undefined : fitOf(field);
    if (value === undefined || value === null) return [name, value];
    return [name, fit === undefined ? boundOther(value) : fit(value as never)];
  });
  return Object.fromEntries(entries);
}

function fitOf(field: z.core.$ZodType): ((value: never) => unknown) | undefined {
  return fits.get(field) ?? (field instanceof z.ZodOptional ? fitOf(field.unwrap()) : undefined);
}

/** Makes a text fit into so many UTF-16 units. A longer one is its beginning and a hash: two long ones stay two. */
const fitTo =
  (units: number) =>
  (text: string): string =>
    boundedName(wellFormed(text), units);

/** An id that we chose, as its type. */
export const brandedText = <Brand>() =>
  z
    .string()
    .min(1)
    .transform((text) => text as Brand);

export const timeMs = z.number().int().min(0).max(LAST_MS);

/** An address as WhatsApp writes it, without device. */
export const address = fitted(z.string().max(factBounds.addressUnits), fitTo(factBounds.addressUnits));
/** An id that WhatsApp, or a device of a stranger, chose. */
export const whatsAppId = fitted(z.string().min(1).max(factBounds.idUnits), fitTo(factBounds.idUnits));
export const stanzaId = fitted(
  z
    .string()
    .min(1)
    .max(factBounds.idUnits)
    .transform((text) => text as StanzaId),
  fitTo(factBounds.idUnits),
);

const factKey = z.string().min(1).max(factBounds.keyUnits);
const fitKey = fitTo(factBounds.keyUnits);

/** The fields that every fact has. */
export const commonFields = {
  /** The name of the fact: two with the same key are the same fact, however often they are published, and one event at most. */
  key: fitted(factKey, fitKey),
  /** Keys that the same fact has by the other names of its people: it may come once by number and once by LID. */
  otherKeys: fitted(z.array(factKey).max(factBounds.otherKeys), (keys) =>
    keys
      .filter((key) => key !== '')
      .slice(0, factBounds.otherKeys)
      .map(fitKey),
  ).optional(),
  /** The time at which it happened. */
  atMs: timeMs,
} as const;
