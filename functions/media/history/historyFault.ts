import type { HistoryFault } from '../../../shared/history/historyNotice.ts';

/** A history that can never be taken in, however often it is fetched. */
export class HistoryFaultError extends Error {
  override readonly name = 'HistoryFaultError';
  readonly fault: HistoryFault;

  constructor(fault: HistoryFault, options?: ErrorOptions) {
    super(`the history cannot be taken in: ${fault}`, options);
    this.fault = fault;
  }
}
