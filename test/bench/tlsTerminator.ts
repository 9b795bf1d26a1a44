/** Puts TLS before a port of this machine, in a process of its own, so that neither side pays for the server's end of it. */
import { connect, type AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { createServer } from 'node:tls';
import { answerParent } from './childTalk.ts';

export interface Termination {
  readonly certificate: string;
  readonly key: string;
  /** Where the plain connections go. */
  readonly port: number;
}

export type TlsTerminatorAnswers = typeof answers;

const BACKLOG = 1_024;

const answers = {
  /** Listens on a free port and returns it. */
  begin: ({ certificate, key, port }: Termination): Promise<number> => {
    const server = createServer({ cert: certificate, key }, (secure) => {
      const plain = connect({ port, host: '127.0.0.1', noDelay: true });
      secure.setNoDelay(true);
      pipeline(secure, plain, secure, () => undefined);
    });
    return new Promise((resolve) => {
      server.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG }, () =>
        resolve((server.address() as AddressInfo).port),
      );
    });
  },
};
answerParent(answers);
