import { z } from 'zod';

/**
 * One setting that a tenant may choose for a connection, or a group of them. The stored form, the form of a change, the view,
 * the defaults and their types are all made of a table of these (`settings`).
 */
export interface Setting<Value, Default extends Value | undefined = Value | undefined> {
  readonly schema: z.ZodType<Value>;
  /** The value of a setting that is left out; undefined where the configuration of the worker says it. */
  readonly byDefault: Default;
}
export interface SettingGroup<Rows> {
  readonly description: string;
  readonly rows: Rows;
}
export interface SettingRows {
  readonly [name: string]: Setting<unknown> | SettingGroup<SettingRows>;
}

export function setting<Value>(schema: z.ZodType<Value>, byDefault: undefined): Setting<Value, undefined>;
export function setting<Value>(schema: z.ZodType<Value>, byDefault: NoInfer<Value>): Setting<Value, Value>;
export function setting<Value>(schema: z.ZodType<Value>, byDefault: Value | undefined): Setting<Value> {
  return { schema, byDefault };
}

export function settingGroup<Rows extends SettingRows>(description: string, rows: Rows): SettingGroup<Rows> {
  return { description, rows };
}

/** The chosen settings of a table: any may be left out. */
export type ChosenOf<Rows> = {
  readonly [Name in keyof Rows]?:
    (Rows[Name] extends SettingGroup<infer Inner> ? ChosenOf<Inner> : ValueOf<Rows[Name]>) | undefined;
};
/** A change of them: `null` removes one. */
export type ChangeOf<Rows> = {
  readonly [Name in keyof Rows]?:
    (Rows[Name] extends SettingGroup<infer Inner> ? ChangeOf<Inner> : ValueOf<Rows[Name]>) | null | undefined;
};
/** The settings that hold: each has the chosen value or its default. */
export type AppliedOf<Rows> = {
  readonly [Name in keyof Rows]: Rows[Name] extends SettingGroup<infer Inner>
    ? AppliedOf<Inner>
    : Rows[Name] extends Setting<infer Value, infer Default>
      ? Default extends undefined
        ? Value | undefined
        : Value
      : never;
};
type ValueOf<Row> = Row extends Setting<infer Value> ? Value : never;

/** The schema of chosen settings, for the view. */
export function chosenSchemaOf<Rows extends SettingRows>(rows: Rows): z.ZodType<ChosenOf<Rows>> {
  return z.object(fieldsOf(rows, chosenSchemaOf, (field) => field.optional())) as unknown as z.ZodType<ChosenOf<Rows>>;
}

/** The schema of a change. It is strict, so that a name that is no setting is refused. */
export function changeSchemaOf<Rows extends SettingRows>(rows: Rows): z.ZodType<ChangeOf<Rows>> {
  const fields = fieldsOf(rows, changeSchemaOf, (field) => field.nullable().optional());
  return z.strictObject(fields) as unknown as z.ZodType<ChangeOf<Rows>>;
}

function fieldsOf(
  rows: SettingRows,
  ofGroup: (rows: SettingRows) => z.ZodType,
  wrap: (field: z.ZodType) => z.ZodType,
): Record<string, z.ZodType> {
  const entries = Object.entries(rows).map(([name, row]): [string, z.ZodType] =>
    'rows' in row ? [name, wrap(ofGroup(row.rows)).meta({ description: row.description })] : [name, wrap(row.schema)],
  );
  return Object.fromEntries(entries);
}

/**
 * Reads stored settings. A row may be older or newer than this code, or damaged: a setting that is unknown, or has a value
 * that none of it may have, counts as left out. Never throws.
 */
export function readChosen<Rows extends SettingRows>(rows: Rows, stored: unknown): ChosenOf<Rows> {
  if (typeof stored !== 'object' || stored === null || Array.isArray(stored)) return {};
  const entries = Object.entries(rows).flatMap(([name, row]): [string, unknown][] => {
    const value: unknown = Object.hasOwn(stored, name) ? (stored as Record<string, unknown>)[name] : undefined;
    if (value === undefined || value === null) return [];
    if ('rows' in row) return typeof value === 'object' ? [[name, readChosen(row.rows, value)]] : [];
    const read = row.schema.safeParse(value);
    return read.success ? [[name, read.data]] : [];
  });
  return Object.fromEntries(entries) as ChosenOf<Rows>;
}

/** The settings that hold where these are chosen. */
export function appliedOf<Rows extends SettingRows>(rows: Rows, chosen: ChosenOf<Rows> | undefined): AppliedOf<Rows> {
  const values = (chosen ?? {}) as Readonly<Record<string, unknown>>;
  const entries = Object.entries(rows).map(([name, row]): [string, unknown] => [
    name,
    'rows' in row
      ? appliedOf(row.rows, values[name] as ChosenOf<SettingRows> | undefined)
      : (values[name] ?? row.byDefault),
  ]);
  return Object.fromEntries(entries) as AppliedOf<Rows>;
}
