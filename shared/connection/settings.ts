import { z } from 'zod';
import { inboundTypes, type InboundType } from '../content/content.ts';
import { FILE_BYTES, fileUses } from '../content/mediaFile.ts';
import { chatKinds, type ChatKind } from './chatKind.ts';
import { historyPolicies } from './historyPolicy.ts';
import {
  appliedOf,
  changeSchemaOf,
  chosenSchemaOf,
  readChosen,
  setting,
  settingGroup,
  type AppliedOf,
  type ChosenOf,
} from './settingRow.ts';

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

export const presences = ['available', 'unavailable'] as const;
export type Presence = (typeof presences)[number];

const filterChoice = setting(z.enum(['deliver', 'drop']).meta({ id: 'FilterChoice' }), 'deliver');
const fetchChoice = setting(z.enum(['fetch', 'leave']).meta({ id: 'FetchChoice' }), 'fetch');
const choices = <Name extends string, Choice>(names: readonly Name[], choice: Choice) =>
  Object.fromEntries(names.map((name) => [name, choice])) as Readonly<Record<Name, Choice>>;

/** The table of settings. A new one is a row here and the code that acts on it; all forms and types follow. */
const settingRows = {
  reconnect: settingGroup('How a lost connection is tried again. The fleet says it where you do not.', {
    baseDelayMs: setting(
      z
        .number()
        .int()
        .min(SECOND_MS)
        .max(60 * SECOND_MS),
      undefined,
    ),
    maxDelayMs: setting(z.number().int().min(SHORTEST_CAP_MS).max(LONGEST_CAP_MS), undefined),
    maxAttempts: setting(
      z.number().int().min(1).max(100).meta({
        description: 'Failures in a row after which the status is `failed`; slow tries go on.',
      }),
      undefined,
    ),
  }),
  presence: setting(
    z.enum(presences).meta({
      description: 'Announced when the connection opens. `available` takes notifications away from the phone.',
    }),
    'unavailable',
  ),
  // A dropped message is still decrypted, acknowledged and counted.
  filters: settingGroup(
    'What you do not want to be told of: `drop`, by the chat that it comes in, and by the type of its content. Everything is delivered where nothing is said. `filtered` of the connection shows how much was dropped.',
    {
      ...choices(chatKinds, filterChoice),
      types: settingGroup(
        'By the type of the content, whatever chat it comes in.',
        choices(inboundTypes, filterChoice),
      ),
    },
  ),
  media: settingGroup(
    'Which files of messages are fetched when they come. The others are `left`: each is fetched when you ask for it, as long as WhatsApp has it.',
    {
      ...choices(chatKinds, fetchChoice),
      files: settingGroup('By what the file is, whatever chat it comes in.', choices(fileUses, fetchChoice)),
      mostBytes: setting(
        z
          .number()
          .int()
          .min(0)
          .max(FILE_BYTES)
          .meta({ description: 'Files that are larger, as their sender says, are left.' }),
        FILE_BYTES,
      ),
    },
  ),
  history: setting(
    z.enum(historyPolicies).meta({
      description:
        'How much of what was before is kept when an account is linked: nothing, what its phone gives each new device (some months), or all that it has. A change counts for the next link.',
    }),
    'recent',
  ),
  readReceipts: setting(
    z.enum(['manual', 'automatic']).meta({
      description: '`automatic`: messages of people and groups are marked as read once their event is stored.',
    }),
    'manual',
  ),
  groupStatus: setting(
    z.enum(['slowest', 'first']).meta({
      description:
        'Of a message to a group: `slowest` counts it as delivered, read or played when it is with all members that it went to, as WhatsApp shows it; `first` when it is with one of them.',
    }),
    'slowest',
  ),
  pace: settingGroup(
    'How fast it sends, and to how many new people. Higher numbers than the defaults risk that WhatsApp restricts or bans the account.',
    {
      budgets: setting(
        z.enum(['kept', 'off']).meta({
          description:
            '`off` takes all budgets below away, and with them what protects the account: accounts that write to many strangers, or very fast, are restricted for a day or banned for good. What WhatsApp itself stops (463, 429, time-locks) still waits. The fleet says it where you do not: `kept`, by default.',
        }),
        undefined,
      ),
      firstContactsPerDay: setting(
        z.number().int().min(0).max(10_000).meta({
          description:
            'Messages to people with whom the account never talked, in any 24 hours; the rest waits. Left out, it grows with the age of the link: 20 at first, 200 after 30 days. Accounts were restricted after 30 to 40 in one day.',
        }),
        undefined,
      ),
      messagesPerMinute: setting(
        z.number().int().min(10).max(6_000).meta({
          description:
            'All messages of the connection: so many at once, and so many again with each minute. The fleet says it where you do not, 60 by default. WhatsApp has refused messages (429) at three a second.',
        }),
        undefined,
      ),
      messagesPerChatPerMinute: setting(
        z.number().int().min(1).max(6_000).meta({
          description:
            'Messages to one chat: so many at once, and so many again with each minute. The fleet says it where you do not, 30 by default. Whoever gets more is likely to block the account or to report it.',
        }),
        undefined,
      ),
    },
  ),
  // There is an event of a call either way.
  calls: setting(z.enum(['ignore', 'reject']).meta({ description: '`reject`: incoming calls are refused.' }), 'ignore'),
} as const;
type Rows = typeof settingRows;

/** The settings that a tenant has chosen; an absent one has its default. */
export type ConnectionSettings = ChosenOf<Rows>;
/** The settings that hold for a connection. */
export type AppliedSettingValues = AppliedOf<Rows>;
/** The filter that a message was dropped by: the path of its setting below `filters`. */
export type FilterName = ChatKind | `types.${InboundType}`;

/** Settings as a row has them: perhaps of an older or a newer version, so they are read before they are used. */
export type StoredSettings = Readonly<Record<string, unknown>>;

export const settingsSchema = chosenSchemaOf(settingRows).meta({ id: 'ConnectionSettings' });

/** The chosen settings in a row. A setting that is unknown or impossible counts as left out. */
export function readSettings(stored: StoredSettings | undefined): ConnectionSettings {
  return readChosen(settingRows, stored);
}

/** The settings that hold where these are chosen. */
export function withDefaults(chosen: ConnectionSettings | undefined): AppliedSettingValues {
  return appliedOf(settingRows, chosen);
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

/** A change of label, metadata and settings: a field that is left out stays, `null` removes it (RFC 7396). */
export const connectionChangeSchema = z
  .strictObject({
    label: labelSchema.nullable().optional(),
    metadata: metadataSchema(metadataText.nullable()).nullable().optional(),
    settings: changeSchemaOf(settingRows).nullable().optional(),
  })
  .meta({ id: 'ConnectionChange' });
export type ConnectionChange = z.infer<typeof connectionChangeSchema>;

/** The part of a connection that a tenant may change at any time. */
export interface Changeable {
  readonly label: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly settings?: StoredSettings | undefined;
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
    readSettings(settings).reconnect ?? {};
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
