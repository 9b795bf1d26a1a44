import type { ConnectionId, CorrelationId } from '../../../shared/kernel/id.ts';
import type { Disabling } from '../../../shared/webhook/endpoint.ts';

/** An endpoint whose receiver has answered 410. */
export const GONE: Omit<Disabling, 'isTold'> = {
  because: 'gone',
  atMs: 0,
  connectionId: 'con_1' as ConnectionId,
  correlationId: 'cor-of-request' as CorrelationId,
};
