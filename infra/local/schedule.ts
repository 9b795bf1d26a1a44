import type { Logger } from '../../shared/platform/logger.ts';

/** What EventBridge's scheduler does on AWS: invokes a function again and again. Never twice at once. */
export function startSchedule(options: {
  readonly name: string;
  readonly everyMs: number;
  readonly handler: () => Promise<unknown>;
  readonly logger: Logger;
}): { readonly stop: () => Promise<void> } {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= options
      .handler()
      .then(() => undefined)
      .catch((error: unknown) => options.logger.error('scheduled function failed', { process: options.name, error }))
      .finally(() => {
        running = undefined;
      });
  }, options.everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
