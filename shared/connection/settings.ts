import { z } from 'zod';

/**
 * The settings that a tenant may choose for one connection. An absent one has the fleet's default. The first delay after a lost connection
 * depends on its cause and grows with the base delay: 5 s give 8 s, or 15 s when the network was lost.
 */
const SECOND_MS = 1_000;
/** The shortest longest delay that makes sense: two opens of one connection are 30 s apart in any case. */
const SHORTEST_CAP_MS = 30 * SECOND_MS;
const LONGEST_CAP_MS = 300 * SECOND_MS;

/** The defaults of a worker that is not configured otherwise (docs/lifecycle.md, "Reconnect"). */
const reconnectDefaults = { baseDelayMs: 5_000, maxDelayMs: 300_000 } as const;

const reconnectShape = {
  baseDelayMs: z
    .number()
    .int()
    .min(SECOND_MS)
    .max(60 * SECOND_MS),
  maxDelayMs: z.number().int().min(SHORTEST_CAP_MS).max(LONGEST_CAP_MS),
  maxAttempts: z.number().int().min(1).max(100),
} as const;

export const presences = ['available', 'unavailable'] as const;
export type Presence = (typeof presences)[number];

/** The kinds of messages that a tenant may not want. Status updates are broadcasts to `status@broadcast`. */
export const filterKinds = ['statusUpdates', 'newsletters', 'broadcasts', 'groups'] as const;
export type FilterKind = (typeof filterKinds)[number];
export const filterChoices = ['deliver', 'drop'] as const;
export type FilterSettings = { readonly [Kind in FilterKind]?: (typeof filterChoices)[number] | undefined };

export const readReceiptChoices = ['manual', 'automatic'] as const;
export const callChoices = ['ignore', 'reject'] as const;

export interface ReconnectSettings {
  readonly baseDelayMs?: number | undefined;
  readonly maxDelayMs?: number | undefined;
  /** The number of failures in a row after which the status is `failed`; slow tries go on. */
  readonly maxAttempts?: number | undefined;
}

export interface ConnectionSettings {
  readonly reconnect?: ReconnectSettings | undefined;
  /** The presence that is announced when the connection opens. `available` takes notifications away from the phone. */
  readonly presence?: Presence | undefined;
  /** The choice for each kind; `deliver` when left out. A dropped message is still decrypted, acknowledged and counted. */
  readonly filters?: FilterSettings | undefined;
  /** `automatic`: a message is marked as read once its event is safe; `manual` when left out. */
  readonly readReceipts?: (typeof readReceiptChoices)[number] | undefined;
  /** What becomes of calls; `ignore` when left out: the phone goes on to ring. Either way there is an event. */
  readonly calls?: (typeof callChoices)[number] | undefined;
}

const MOST_METADATA = 20;
export const labelSchema = z.string().min(1).max(100).meta({ description: 'A name for your own use.' });
const metadataSchema = (value: z.ZodType<string | null>) =>
  z
    .record(
      z.string().regex(/^[A-Za-z0-9_.-]{1,40}$/, 'Use 1 to 40 letters, digits, dots, dashes and underscores.'),
      value,
    )
    .refine((metadata) => Object.keys(metadata).length <= MOST_METADATA, `At most ${MOST_METADATA} entries.`)
    .meta({ description: 'Up to 20 texts of your own.' });
const metadataText = z.string().max(200);

const filterChoice = z.enum(filterChoices);

export const settingsSchema = z
  .object({
    reconnect: z
      .object({
        baseDelayMs: reconnectShape.baseDelayMs.optional(),
        maxDelayMs: reconnectShape.maxDelayMs.optional(),
        maxAttempts: reconnectShape.maxAttempts.optional(),
      })
      .optional(),
    presence: z.enum(presences).optional(),
    filters: z
      .object({
        statusUpdates: filterChoice.optional(),
        newsletters: filterChoice.optional(),
        broadcasts: filterChoice.optional(),
        groups: filterChoice.optional(),
      })
      .optional()
      .meta({
        description: 'What you do not want to be told of: `drop`. Everything is delivered where nothing is said.',
      }),
    readReceipts: z.enum(readReceiptChoices).optional().meta({
      description: '`automatic`: messages of people and groups are marked as read once their event is stored.',
    }),
    calls: z.enum(callChoices).optional().meta({ description: '`reject`: incoming calls are refused.' }),
  })
  .meta({ id: 'ConnectionSettings' });

/** A change of label, metadata and settings: a field that is left out stays, `null` removes it (RFC 7396). */
export const connectionChangeSchema = z
  .strictObject({
    label: labelSchema.nullable().optional(),
    metadata: metadataSchema(metadataText.nullable()).nullable().optional(),
    settings: z
      .strictObject({
        reconnect: z
          .strictObject({
            baseDelayMs: reconnectShape.baseDelayMs.nullable().optional(),
            maxDelayMs: reconnectShape.maxDelayMs.nullable().optional(),
            maxAttempts: reconnectShape.maxAttempts.nullable().optional(),
          })
          .nullable()
          .optional(),
        presence: z.enum(presences).nullable().optional(),
        filters: z
          .strictObject({
            statusUpdates: filterChoice.nullable().optional(),
            newsletters: filterChoice.nullable().optional(),
            broadcasts: filterChoice.nullable().optional(),
            groups: filterChoice.nullable().optional(),
          })
          .nullable()
          .optional(),
        readReceipts: z.enum(readReceiptChoices).nullable().optional(),
        calls: z.enum(callChoices).nullable().optional(),
      })
      .nullable()
      .optional(),
  })
  .meta({ id: 'ConnectionChange' });
export type ConnectionChange = z.infer<typeof connectionChangeSchema>;

/** The part of a connection that a tenant may change at any time. */
export interface Changeable {
  readonly label: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly settings?: ConnectionSettings | undefined;
}

/** Applies a change. Returns instead the fields that do not go together, as paths in the change. */
export function applyChange(
  current: Changeable,
  change: ConnectionChange,
): Changeable | { readonly problems: readonly { readonly field: string; readonly problem: string }[] } {
  const { label, metadata, settings } = merge(
    { label: current.label, metadata: current.metadata, settings: current.settings },
    change,
  ) as Changeable;
  const { baseDelayMs = reconnectDefaults.baseDelayMs, maxDelayMs = reconnectDefaults.maxDelayMs } =
    settings?.reconnect ?? {};
  const problems = [
    ...(baseDelayMs > maxDelayMs
      ? [{ field: 'settings.reconnect.baseDelayMs', problem: 'The base delay must not be longer than maxDelayMs.' }]
      : []),
    ...(Object.keys(metadata ?? {}).length > MOST_METADATA
      ? [{ field: 'metadata', problem: `At most ${MOST_METADATA} entries.` }]
      : []),
  ];
  return problems.length > 0 ? { problems } : { label, metadata, settings };
}

type Tree = { readonly [name: string]: unknown };

/** Applies a JSON merge patch: objects are merged, `null` removes, every other value replaces. */
function merge(current: unknown, change: unknown): unknown {
  if (change === undefined) return current;
  if (change === null) return undefined;
  if (typeof change !== 'object') return change;
  const merged: Record<string, unknown> = { ...(typeof current === 'object' ? (current as Tree | null) : {}) };
  for (const [name, value] of Object.entries(change as Tree)) {
    const next = merge(Object.hasOwn(merged, name) ? merged[name] : undefined, value);
    if (next === undefined) delete merged[name];
    else merged[name] = next;
  }
  return merged;
}
