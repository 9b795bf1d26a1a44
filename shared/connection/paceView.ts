import { z } from 'zod';
import { waitCodes, waitRules, waitStates, type PaceWait } from './paceWait.ts';

/** The pace of a connection as a tenant sees it: in the view of the connection, and in the event of a change. */
const at = z.iso.datetime();

export const paceSchema = z.object({
  firstContacts: z
    .object({
      used: z.number().int().meta({ description: 'Those of the last 24 hours, counted by whole hours.' }),
      limit: z
        .number()
        .int()
        .optional()
        .meta({ description: 'Those that are allowed in 24 hours; absent where the settings allow any number.' }),
    })
    .meta({ description: 'Messages to people with whom the account had never talked.' }),
  wait: z
    .object({ state: z.enum(waitStates), code: z.enum(waitCodes), sentence: z.string(), until: at })
    .optional()
    .meta({ description: 'Present while messages wait because of the pace.' }),
});

export interface PaceFigures {
  readonly used: number;
  readonly limit?: number | undefined;
  readonly wait?: PaceWait | undefined;
}

export function toShownPace({ used, limit, wait }: PaceFigures): z.infer<typeof paceSchema> {
  return {
    firstContacts: { used, ...(limit === undefined ? {} : { limit }) },
    ...(wait === undefined
      ? {}
      : { wait: { code: wait.code, ...waitRules[wait.code], until: new Date(wait.untilMs).toISOString() } }),
  };
}
