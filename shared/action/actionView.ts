import { z } from 'zod';
import { toShownActionError, actionErrorSchema } from './actionError.ts';
import { actionStates, asShownAction, type Action } from './action.ts';
import { actionKinds, actionRows, type ActionKind } from './actionKinds.ts';
import type { ActionRow } from './actionRow.ts';

/**
 * The views of actions that tenants see, through the API and in events: shapes for the documents, made of the rows, and
 * the translators.
 */
const at = z.iso.datetime();
const toTime = (ms: number): string => new Date(ms).toISOString();
const rows: readonly ActionRow[] = actionRows as readonly unknown[] as readonly ActionRow[];

const common = {
  id: z.string().meta({ example: 'act_01JD8X8Z5Q3V7T9K2M4N6P8R0S' }),
  connectionId: z.string(),
  state: z.enum(actionStates).meta({
    description:
      'It ends as one of the last three. `running`: WhatsApp is being asked. 200 says that it has ended, not how.',
  }),
  error: actionErrorSchema.optional().meta({ description: 'Present when it failed or expired.' }),
  waitsFor: z
    .object({ reason: z.literal('limited'), whatsappCode: z.number().int() })
    .optional()
    .meta({ description: 'Present while WhatsApp limits what it needs: it is asked again by itself.' }),
  progress: z
    .object({ done: z.number().int(), total: z.number().int() })
    .optional()
    .meta({ description: 'How far it has come; present where it takes several questions to WhatsApp.' }),
  createdAt: at,
  expiresAt: at.meta({ description: 'It is begun before this, or never.' }),
  endedAt: at.optional(),
} as const;

function viewOf(row: ActionRow) {
  const { kind, request, result, example } = row;
  const { id, createdAt, expiresAt, endedAt } = {
    id: 'act_01JD8X8Z5Q3V7T9K2M4N6P8R0S',
    createdAt: '2026-11-29T10:00:00.000Z',
    expiresAt: '2026-11-29T10:02:00.000Z',
    endedAt: '2026-11-29T10:00:00.312Z',
  };
  return z
    .object({
      ...common,
      kind: z.literal(kind),
      request,
      result: result.optional().meta({ description: 'Present when it succeeded.' }),
    })
    .meta({
      id: `${nameOf(kind)}Action`,
      example: {
        id,
        connectionId: 'con_01JD8X8Z5Q3V7T9K2M4N6P8R0S',
        kind,
        state: 'succeeded',
        ...example,
        createdAt,
        expiresAt,
        endedAt,
      },
    });
}

/** A name for schemas: `contacts_check` becomes `ContactsCheck`. */
function nameOf(kind: string): string {
  return kind.replaceAll(/(?:^|_)(\w)/g, (_match, letter: string) => letter.toUpperCase());
}

const views = new Map(rows.map((row) => [row.kind, viewOf(row)]));

/** The shape of an action of one kind. */
export function actionViewSchemaOf(kind: ActionKind): z.ZodType {
  const schema = views.get(kind);
  if (schema === undefined) throw new Error(`there is no action ${kind}`);
  return schema;
}

/** The shape of an action of any kind. */
export const actionViewSchema = z
  .discriminatedUnion('kind', [...views.values()] as unknown as [ReturnType<typeof viewOf>])
  .meta({ id: 'Action' });

export function toActionView(stored: Action, nowMs: number) {
  const {
    actionId,
    connectionId,
    kind,
    state,
    request,
    result,
    error,
    limitedBy,
    progress,
    createdAtMs,
    expiresAtMs,
    endedAtMs,
  } = asShownAction(stored, nowMs);
  return {
    id: actionId,
    connectionId,
    kind,
    state,
    request,
    ...(result === undefined ? {} : { result }),
    ...(error === undefined ? {} : { error: toShownActionError(error) }),
    ...(state === 'accepted' && limitedBy !== undefined
      ? { waitsFor: { reason: 'limited' as const, whatsappCode: limitedBy } }
      : {}),
    ...(progress === undefined
      ? {}
      : { progress: state === 'succeeded' ? { ...progress, done: progress.total } : progress }),
    createdAt: toTime(createdAtMs),
    expiresAt: toTime(expiresAtMs),
    ...(endedAtMs === undefined ? {} : { endedAt: toTime(endedAtMs) }),
  };
}

/** The data of the events that report an end. */
export const actionSucceededDataSchema = z
  .discriminatedUnion(
    'kind',
    rows.map(({ kind, result }) => z.object({ actionId: z.string(), kind: z.literal(kind), result })) as unknown as [
      z.ZodObject<{ actionId: z.ZodString; kind: z.ZodEnum<{ [Kind in ActionKind]: Kind }>; result: z.ZodObject }>,
    ],
  )
  .meta({ id: 'ActionSucceededData' });

export const actionFailedDataSchema = z
  .object({
    actionId: z.string(),
    kind: z.enum(actionKinds),
    state: z.enum(['failed', 'expired']),
    error: actionErrorSchema,
  })
  .meta({ id: 'ActionFailedData' });
