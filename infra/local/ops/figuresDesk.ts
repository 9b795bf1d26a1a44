import type { ChildProcess } from 'node:child_process';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { dashboardDefinitions } from '../../dashboards/definitions.ts';
import { readEarlierFigures } from './earlierFigures.ts';
import { samplesOf } from './emfLine.ts';
import { figuresOf, type DashboardFigures } from './figures.ts';
import { MetricStore } from './metricStore.ts';

/**
 * The figures of the page at `/ops` are kept by the supervisor, which reads the logs of all processes and outlives them.
 * The processes of the functions answer the page, and ask for the figures over their channel.
 *
 * - A process is killed: the figures stay, and the one that follows asks for the same ones.
 * - The supervisor does not answer: who asked is told after {@link ANSWER_MS}.
 */
const ANSWER_MS = 5_000;

interface Question {
  readonly figuresFor: number;
  readonly minutes: number;
}
interface Answer {
  readonly figuresOf: number;
  readonly dashboards: readonly DashboardFigures[];
}

/** The desk in the supervisor. */
export class FiguresDesk {
  readonly #stage: string;
  readonly #store = new MetricStore(systemClock.nowMs);

  constructor(stage: string) {
    this.#stage = stage;
  }

  /** Takes in a line of a log that may hold metrics. */
  readonly add = (line: string): void => {
    for (const sample of samplesOf(line)) this.#store.add(sample);
  };

  /** Takes in the logs of the run before. Rejects when they cannot be read. */
  readEarlier(folder: string): Promise<void> {
    return readEarlierFigures(folder, this.#store, systemClock.nowMs());
  }

  /** Answers what a process asks, until it ends. */
  serve(child: ChildProcess): void {
    child.on('message', (message: unknown) => {
      const question = message as Question;
      if (typeof question.figuresFor !== 'number' || !child.connected) return;
      const dashboards = figuresOf(dashboardDefinitions(this.#stage), this.#store, question.minutes);
      child.send({ figuresOf: question.figuresFor, dashboards } satisfies Answer);
    });
  }
}

/** Makes the function by which a process asks its supervisor. It rejects when there is no answer in time. */
export function makeFiguresQuestion(): (minutes: number) => Promise<readonly DashboardFigures[]> {
  const open = new Map<number, (dashboards: readonly DashboardFigures[]) => void>();
  let last = 0;
  process.on('message', (message: unknown) => {
    const answer = message as Answer;
    open.get(answer.figuresOf)?.(answer.dashboards);
  });
  return async (minutes) => {
    last += 1;
    const id = last;
    const { promise, resolve } = Promise.withResolvers<readonly DashboardFigures[]>();
    open.set(id, resolve);
    try {
      process.send?.({ figuresFor: id, minutes } satisfies Question);
      return await withDeadline('the figures', ANSWER_MS, () => promise);
    } finally {
      open.delete(id);
    }
  };
}
