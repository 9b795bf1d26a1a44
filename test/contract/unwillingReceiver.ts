import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A tenant's receiver that answers with whatever status it is told to, as late as it is told to; until then it fails once, and it is closed (503) once each time. */
export interface UnwillingReceiver {
  readonly url: string;
  readonly answerWith: (status: number, afterMs?: number) => void;
  readonly asked: () => number;
  readonly stop: () => Promise<void>;
}

export async function startUnwillingReceiver(): Promise<UnwillingReceiver> {
  let [status, lateMs, asked] = [500, 0, 0];
  const server = createServer((request, response) => {
    asked += 1;
    request.resume();
    // Closed for longer than a queue hides a delivery.
    const answer = (code: number) => response.writeHead(code, code === 503 ? { 'retry-after': '1200' } : {}).end();
    setTimeout(answer, lateMs, status);
    // Five failures in a row would open its breaker, and hold back all that follows for a minute, or for as long as it is closed.
    if (asked === 1 || status === 503) status = 200;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    answerWith: (given, afterMs = 0) => {
      [status, lateMs] = [given, afterMs];
    },
    asked: () => asked,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
