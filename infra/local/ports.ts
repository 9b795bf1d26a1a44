import { once } from 'node:events';
import { createServer } from 'node:net';

/** Ports of a run: the API's port, and the one beside it for the simulator's phones. */
export interface WantedPorts {
  /** The API's port; 0 takes any free ports. */
  readonly port: number;
  /** Whether the port beside it is needed, too. */
  readonly isPair: boolean;
}

const STEP = 10;
const TRIES = 20;
const HIGHEST = 65_534;

/**
 * The reason why these ports cannot be had, with others that can; undefined when they are free. The caller asks before
 * anything starts, since a part that fails to listen knows only its own port.
 */
export async function portTrouble({ port, isPair }: WantedPorts): Promise<string | undefined> {
  if (port === 0) return undefined;
  const taken = await takenOf(isPair ? [port, port + 1] : [port]);
  if (taken.length === 0) return undefined;
  const [first] = taken;
  const what =
    taken.length === 2
      ? `Ports ${port} and ${port + 1} are taken.`
      : first === port
        ? `Port ${port} is taken.`
        : `Port ${port + 1} is taken, which the phones of the simulator have when the API has ${port}.`;
  const free = await findFree({ port, isPair });
  return `${what} Choose ${free === undefined ? 'another' : `another, such as`}: npm start -- --port ${free ?? 'PORT'}`;
}

async function findFree({ port, isPair }: WantedPorts): Promise<number | undefined> {
  for (let candidate = port + STEP, tries = 0; candidate <= HIGHEST && tries < TRIES; candidate += STEP, tries += 1) {
    if ((await takenOf(isPair ? [candidate, candidate + 1] : [candidate])).length === 0) return candidate;
  }
  return undefined;
}

async function takenOf(ports: readonly number[]): Promise<readonly number[]> {
  const taken: number[] = [];
  for (const port of ports) if (!(await isFree(port))) taken.push(port);
  return taken;
}

/** Whether a port can be listened on. A port that this user may not have counts as taken. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
