import pino from 'pino';
import { standardOutput } from './standardOutput.ts';

/**
 * The fields that a log line may carry beside its message. They never hold content, keys, QR, codes, or more than four
 * digits of a number.
 */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * A structured log. `message` is a constant in lower case, facts go into fields. error: a person must act · warn:
 * abnormal but handled · info: lifecycle boundary · debug: one operation.
 */
export interface Logger {
  readonly debug: (message: string, fields?: LogFields) => void;
  readonly info: (message: string, fields?: LogFields) => void;
  readonly warn: (message: string, fields?: LogFields) => void;
  readonly error: (message: string, fields?: LogFields) => void;
  /** Makes a logger that adds these fields to each of its lines. */
  readonly child: (fields: LogFields) => Logger;
}

/**
 * Fields that may be logged. Every other field is dropped and only its name is kept, so that a new field is a decision
 * and a payload cannot slip in by spreading an object (promise *quiet*).
 */
const ALLOWED_FIELDS: ReadonlySet<string> = new Set([
  'action',
  'attempt',
  'attempts',
  'attributes',
  'by',
  'bytes',
  'cause',
  'code',
  'commandKind',
  'connectionId',
  'connections',
  'correlationId',
  'count',
  'delayMs',
  'deliveryId',
  'dependency',
  'durationMs',
  'effect',
  'endpointId',
  'epoch',
  'error',
  'eventId',
  'eventType',
  'evidence',
  'factKind',
  'from',
  'generation',
  'heartbeat',
  'httpStatus',
  'input',
  'kind',
  'letterId',
  'mediaId',
  'messageId',
  'method',
  'operation',
  'outcome',
  'owner',
  'phase',
  'pid',
  'port',
  'process',
  'queue',
  'reason',
  'receiveCount',
  'route',
  'shard',
  'shards',
  'signal',
  'stage',
  'stanzaId',
  'state',
  'status',
  'symptom',
  'table',
  'taskId',
  'tenantId',
  'to',
  'url',
  'waitMs',
  'workerId',
]);

/**
 * Makes the log of one process. Lines are JSON on standard output, one each; warnings and errors are there at once.
 * @param destination receives each line instead, for tests
 */
export function makeLogger(
  process: string,
  level: 'debug' | 'info' | 'warn' | 'error' | 'silent',
  destination?: { write: (line: string) => void },
): Logger {
  const root = pino(
    {
      level,
      base: { process },
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
    },
    destination ?? standardOutput,
  );
  return wrap(root, destination === undefined ? () => standardOutput.flush() : () => undefined);
}

/** A log that writes nothing, for tests of units that need one. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};

function wrap(target: pino.Logger, flush: () => void): Logger {
  return {
    debug: (message, fields) => target.debug(allowed(fields), message),
    info: (message, fields) => target.info(allowed(fields), message),
    warn: (message, fields) => {
      target.warn(allowed(fields), message);
      flush();
    },
    error: (message, fields) => {
      target.error(allowed(fields), message);
      flush();
    },
    child: (fields) => wrap(target.child(allowed(fields)), flush),
  };
}

function allowed(fields: LogFields | undefined): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(fields ?? {})) {
    if (value === undefined) continue;
    if (!ALLOWED_FIELDS.has(name)) dropped.push(name);
    else result[name] = value instanceof Error ? describeError(value) : value;
  }
  if (dropped.length > 0) result['droppedFields'] = dropped;
  return result;
}

/**
 * Name, message and stack of an error and of its causes, without its other properties (SDK errors carry whole
 * requests).
 */
function describeError(error: Error, depth = 0): Record<string, unknown> {
  const cause = error.cause instanceof Error && depth < 3 ? { cause: describeError(error.cause, depth + 1) } : {};
  return { name: error.name, message: error.message, stack: error.stack, ...cause };
}
