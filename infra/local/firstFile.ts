import type { ChildProcess } from 'node:child_process';
import { ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { systemClock } from '../../shared/kernel/clock.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

/**
 * The process for files and histories is started with the first of them: many stacks of a developer or a test see none, and a process that waits takes its
 * memory and its start. A process of functions looks into the queue for it, and tells the supervisor.
 */
interface FilesWait {
  readonly filesWait: true;
}

/** How long a poll waits for the first file, in seconds: a queue in which there is often nothing is asked seldom. */
export const FIRST_FILE_WAIT_SECONDS = 10;
const PAUSE_AFTER_FAILURE_MS = 1_000;

export interface FirstFileOptions extends Pick<Surroundings, 'logger'> {
  /** A client for long polls only. */
  readonly polling: SQSClient;
  readonly queueUrl: string;
}

/**
 * Looks until there is a file to be worked on, tells the supervisor, and is over. What it looks at stays in the queue, visible: nothing is
 * lost with this process, and the one that follows looks anew.
 */
export function lookForFirstFile(options: FirstFileOptions): { readonly stop: () => Promise<void> } {
  const stopping = new AbortController();
  void look(options, stopping.signal);
  return {
    // The poll that is out takes nothing with it, so nobody waits for it.
    stop: () => {
      stopping.abort();
      return Promise.resolve();
    },
  };
}

async function look({ polling, queueUrl, logger }: FirstFileOptions, signal: AbortSignal): Promise<void> {
  const receive = new ReceiveMessageCommand({
    QueueUrl: queueUrl,
    MaxNumberOfMessages: 1,
    VisibilityTimeout: 0,
    WaitTimeSeconds: FIRST_FILE_WAIT_SECONDS,
  });
  while (!signal.aborted) {
    try {
      const { Messages = [] } = await polling.send(receive);
      if (Messages.length === 0) continue;
      process.send?.({ filesWait: true } satisfies FilesWait);
      return;
    } catch (error) {
      logger.warn('the queue of files could not be looked into', { error });
      await systemClock.sleep(PAUSE_AFTER_FAILURE_MS, signal);
    }
  }
}

/** Calls `then` when a process of functions tells of a file. */
export function onFirstFile(child: ChildProcess, then: () => void): void {
  child.on('message', (message: unknown) => {
    if ((message as Partial<FilesWait>).filesWait === true) then();
  });
}
