import { makeWatchdogHandler } from '../../functions/watchdog/handler.ts';
import { composeWatchdog } from '../../functions/watchdog/composition.ts';
import { watchdogConfig } from '../../shared/platform/config.ts';
import { asCaller } from './callers.ts';
import { LogFile, type LogFileOptions } from './logFile.ts';
import { startSchedule } from './schedule.ts';

/** The name that stands for the ECS cluster. There is no ECS here; the supervisor takes its place. */
const CLUSTER = 'local';
const NAME = 'watchdog';

/**
 * The watchdog of the embedded stack, with a schedule of its own. It runs in the supervisor's process and not with the
 * other functions, because it has workers stopped, and the supervisor owns those. Throws an Error that names each wrong
 * setting.
 */
export function startWatchdog(options: {
  readonly settings: Readonly<Record<string, string>>;
  readonly log: Omit<LogFileOptions, 'name'>;
  /** Stops a task. Throws when no such task runs. */
  readonly stopTask: (taskId: string) => void;
}): { readonly stop: () => Promise<void> } {
  const config = watchdogConfig({ ...options.settings, HOLDFAST_ECS_CLUSTER: CLUSTER });
  const log = new LogFile({ name: NAME, ...options.log });
  const watchdog = composeWatchdog(asCaller(config, 'watchdog'), {
    stopTask: async (taskId) => options.stopTask(taskId),
    // The watchdog's log goes to a file, because the supervisor prints for people.
    destination: { write: (line) => log.write(line.trimEnd()) },
  });
  const { everyMs } = config.rules;
  const handler = makeWatchdogHandler(watchdog);
  const schedule = startSchedule({ name: NAME, everyMs, handler, logger: watchdog.logger });
  return { stop: () => schedule.stop().finally(() => log.end()) };
}
