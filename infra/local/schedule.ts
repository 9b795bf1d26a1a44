import { Scope } from '../../shared/kernel/scope.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

export interface ScheduleOptions extends Pick<Surroundings, 'logger'> {
  readonly name: string;
  readonly everyMs: number;
  readonly handler: () => Promise<unknown>;
}

/**
 * The part that EventBridge's scheduler plays on AWS: it invokes a function again and again, but never twice at once.
 */
export function startSchedule(options: ScheduleOptions): { readonly stop: () => Promise<void> } {
  const scope = new Scope(options.name);
  let running: Promise<void> = Promise.resolve();
  scope.interval(options.everyMs, () => {
    running = options.handler().then(
      () => undefined,
      (error: unknown) => options.logger.error('scheduled function failed', { process: options.name, error }),
    );
    return running;
  });
  return {
    stop: async () => {
      await scope.close();
      await running;
    },
  };
}
