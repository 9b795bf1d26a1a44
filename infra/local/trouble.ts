import { z } from 'zod';

/** A line of a log that a person should see. */
export interface Trouble {
  /** The name of the process in the embedded stack, such as `worker-2`. */
  readonly process: string;
  readonly level: 'warn' | 'error';
  /** The message of the log line: constant, in lower case. */
  readonly message: string;
  readonly connection: { readonly tenantId: string; readonly connectionId: string } | undefined;
  /** The last digits of a recipient; undefined when the line names none. */
  readonly to: string | undefined;
  /** The message of the error; undefined when the line has none. */
  readonly because: string | undefined;
}

const troubleSchema = z.object({
  level: z.enum(['warn', 'error']),
  message: z.string(),
  tenantId: z.string().optional(),
  connectionId: z.string().optional(),
  to: z.string().optional(),
  error: z.object({ message: z.string() }).optional(),
});
const BECAUSE_LENGTH = 160;

/** Reads a line of a log. Returns undefined for a line that is no trouble. */
export function toTrouble(process: string, line: unknown): Trouble | undefined {
  const parsed = troubleSchema.safeParse(line);
  if (!parsed.success) return undefined;
  const { level, message, tenantId, connectionId, to, error } = parsed.data;
  return {
    process,
    level,
    message,
    connection: tenantId === undefined || connectionId === undefined ? undefined : { tenantId, connectionId },
    to: to === undefined ? undefined : shorten(to),
    because: error?.message.slice(0, BECAUSE_LENGTH),
  };
}

/** Shortens `4915100000002@s.whatsapp.net` to `…0002`; an address without digits stays as it is. */
function shorten(to: string): string {
  const digits = /\d{5,}/.exec(to)?.[0];
  return digits === undefined ? to : `…${digits.slice(-4)}`;
}
