import { makeWatchdogHandler } from '../../functions/watchdog/handler.ts';
import { composeWatchdog } from '../../functions/watchdog/composition.ts';
import { watchdogConfig } from '../../shared/platform/config.ts';
import { asCaller } from './callers.ts';
import { LogFile, type LogFileOptions } from './logFile.ts';
import { startSchedule } from './schedule.ts';

/** There is no ECS here; its place is taken by the supervisor. */
const CLUSTER = 'local';
const NAME = 'watchdog';

/**
 * The watchdog of the embedded stack, by its own schedule. It runs in the supervisor's process and not with the other functions,
 * because it has workers stopped, and those are the supervisor's. Throws an Error that names each wrong setting.
 */
export function startWatchdog(options: {
  readonly settings: Readonly<Record<string, string>>;
  readonly log: Omit<LogFileOptions, 'name'>;
  /** Throws when no such task runs. */
  readonly stopTask: (taskId: string) => void;
}): { readonly stop: () => Promise<void> } {
  const config = watchdogConfig({ ...options.settings, HOLDFAST_ECS_CLUSTER: CLUSTER });
  const log = new LogFile({ name: NAME, ...options.log });
  const watchdog = composeWatchdog(asCaller(config, 'watchdog'), {
    stopTask: async (taskId) => options.stopTask(taskId),
    // What the supervisor prints is for people.
    destination: { write: (line) => log.write(line.trimEnd()) },
  });
  const { everyMs } = config.rules;
  const handler = makeWatchdogHandler(watchdog);
  const schedule = startSchedule({ name: NAME, everyMs, handler, logger: watchdog.logger });
  return { stop: () => schedule.stop().finally(() => log.end()) };
}
