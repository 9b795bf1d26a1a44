import { z } from 'zod';

/** A line of a log that a person should see. */
export interface Trouble {
  /** Of the embedded stack, such as `worker-2`. */
  readonly process: string;
  readonly level: 'warn' | 'error';
  /** Constant, in lower case. */
  readonly message: string;
  readonly connection: { readonly tenantId: string; readonly connectionId: string } | undefined;
  /** The last digits of a recipient. */
  readonly to: string | undefined;
  /** What the error says of itself. */
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

/** Undefined for a line that is none. */
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

/** `4915100000002@s.whatsapp.net` → `…0002`; what has no digits stays. */
function shorten(to: string): string {
  const digits = /\d{5,}/.exec(to)?.[0];
  return digits === undefined ? to : `…${digits.slice(-4)}`;
}
