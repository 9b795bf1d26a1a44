import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { BadInput, toBadInput } from './sentence.ts';

/** What each command reads and does; the usage text is made from it. */
export const commands = {
  status: { takes: '', flags: [], does: 'one screen: workers, shards, connections, queues, dead letters' },
  health: { takes: '', flags: [], does: 'what is not as it should be; exit code 1 when something is bad' },
  report: {
    takes: '',
    flags: ['tenant-key-file', 'after'],
    does: 'socket opens, reconnects, response time; with a tenant key its failed messages too',
  },
  tail: {
    takes: '',
    flags: ['tenant-key-file', 'type', 'after'],
    does: "a tenant's events as they happen, a line each; Ctrl-C ends it",
  },
  drain: { takes: 'WORKER', flags: ['wait'], does: 'a worker gives its shards away and ends; --wait until it has' },
  redrive: {
    takes: '[commands|events|deliveries|media]',
    flags: ['limit', 'by'],
    does: 'dead letters go back to their queues; all kinds when none is named',
  },
  'dead-letters': {
    takes: '[commands|events|deliveries|media]',
    flags: ['tenant', 'limit', 'redrive', 'discard', 'by'],
    does: 'what lies in the dead letters, whose it is and why; --redrive or --discard IDS with commas between, or all',
  },
  scale: { takes: '', flags: ['connections'], does: 'how many workers and shards are needed; changes nothing' },
  'whatsapp-version': {
    takes: '',
    flags: ['set', 'canary', 'promote', 'roll-back', 'by'],
    does: 'with which client version sockets present themselves; --set VERSION, for --canary PERCENT first, --promote it, or --roll-back',
  },
  version: { takes: '', flags: [], does: 'of this repository, of Node, of Baileys, and what the workers run' },
  'create-operator-key': {
    takes: '',
    flags: ['role', 'by'],
    does: 'a new operator key, shown this once; --role read, operate or admin, read when none is named',
  },
  preflight: {
    takes: '',
    flags: ['shape'],
    does: 'whether an AWS account is ready for a deploy, and what to do; changes nothing',
  },
  smoke: { takes: '', flags: [], does: 'after a deploy: links a phone and sends a message from it to itself' },
  suspend: { takes: '', flags: [], does: 'stops a stage on AWS for work on its tables: callers, scaling, workers' },
  resume: { takes: '', flags: [], does: 'takes a suspended stage up again: workers, scaling, callers' },
  'restore-conversations': {
    takes: '',
    flags: ['export', 'tenant-key-file', 'file', 'connection'],
    does: 'brings an export back: --export ID with --tenant-key-file, or --file MANIFEST; into --connection, or where it was',
  },
  restore: { takes: '', flags: [], does: 'after the Sessions table was put back, before workers start again' },
} as const satisfies Record<string, { takes: string; flags: readonly string[]; does: string }>;
export type CommandName = keyof typeof commands;

/** The role that the operator key needs for a command that goes through the API; others need none. */
export const rolesOfCommands: Readonly<Partial<Record<CommandName, string>>> = {
  status: 'read',
  health: 'read',
  report: 'read',
  scale: 'read',
  version: 'read',
  drain: 'operate',
  smoke: 'admin',
  'whatsapp-version': 'read, and operate to change it',
};

/** The commands that ask AWS itself, and no Holdfast. */
const awsCommands = ['preflight', 'suspend', 'resume'] as const satisfies readonly CommandName[];
export type AwsCommandName = (typeof awsCommands)[number];

export function isAwsCommand(name: CommandName): name is AwsCommandName {
  return (awsCommands as readonly CommandName[]).includes(name);
}

export interface CommandLine {
  readonly command: CommandName;
  /** The word behind the command, if there is one. */
  readonly subject: string | undefined;
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly wait: boolean;
  readonly promote: boolean;
  readonly rollBack: boolean;
}

/** Flags that say where Holdfast is, for every command. */
const PLACES = ['url', 'key-file', 'data', 'stage', 'region', 'queue-url-base'] as const;

const usage = `npm run ops -- COMMAND [--stage NAME --region NAME] [--key-file FILE]

${Object.keys(commands)
  .map((name) => `  ${asked(name as CommandName)}\n      ${commands[name as CommandName].does}`)
  .join('\n')}

  npm run ops -- COMMAND --help says what one of them takes.

  --stage, --region           a stage on AWS; where its API and queues are is read from the outputs of its stacks
  --key-file                  a file with an operator key, for what goes through the API
  --url, --queue-url-base     where they are, for what CloudFormation does not know
  --data                      folder of an embedded stack on this machine; .holdfast when nothing else is named

  The environment gives the same: HOLDFAST_API_URL, HOLDFAST_OPERATOR_KEY_FILE, HOLDFAST_STAGE, HOLDFAST_QUEUE_URL_BASE,
  AWS_REGION. Keys are read from files, because others can see arguments.
`;

/** A request for help, about one command if one is named. */
export interface Help {
  readonly help: string;
}

/** Reads the command line. Throws BadInput with one sentence. */
export function readCommandLine(words: readonly string[]): CommandLine | Help {
  const { values, positionals } = parse(words);
  const [command, subject, ...others] = positionals;
  if (values.help === true) return { help: command !== undefined && isCommand(command) ? helpOf(command) : usage };
  if (command === undefined) throw new BadInput(`Say what to do: ${Object.keys(commands).join(', ')}.`);
  if (!isCommand(command)) {
    throw new BadInput(`There is no command "${command}". There are ${Object.keys(commands).join(', ')}.`);
  }
  const { takes, flags } = commands[command];
  if (takes.startsWith('W') && subject === undefined) throw new BadInput(`Say which: ops ${command} ${takes}.`);
  const [tooMuch] = takes === '' && subject !== undefined ? [subject] : others;
  if (tooMuch !== undefined) throw new BadInput(`"${tooMuch}" is too much: ops ${command} ${takes}`.trimEnd());
  const { wait, promote, 'roll-back': rollBack, help: _, ...texts } = values;
  const allowed: readonly string[] = [...PLACES, ...flags];
  const stray = Object.keys(values).find((flag) => flag !== 'help' && !allowed.includes(flag));
  if (stray !== undefined) throw new BadInput(`${command} does not take --${stray}.`);
  return {
    command,
    subject,
    flags: texts,
    wait: wait === true,
    promote: promote === true,
    rollBack: rollBack === true,
  };
}

/** A flag that must be a whole number; undefined when it is not given. Throws BadInput. */
export function wholeNumber({ flags }: CommandLine, flag: string, from: number, to: number): number | undefined {
  const text = flags[flag];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text !== '' && Number.isInteger(value) && value >= from && value <= to) return value;
  throw new BadInput(`--${flag} must be a whole number from ${from} to ${to}, not "${text}".`);
}

/**
 * The person who gives the command, for the record: as given by the flag, or the user of this machine. Throws BadInput.
 */
export function whoAsks(given: string | undefined): string {
  const by = given ?? userInfo().username;
  if (/^[\w.@-]{1,64}$/.test(by)) return by;
  throw new BadInput('--by must be 1 to 64 letters, digits, dots, dashes, @ or _.');
}

function asked(command: CommandName): string {
  const { takes, flags } = commands[command];
  return [command, takes, ...flags.map((flag) => `[--${flag}]`)].filter((word) => word !== '').join(' ');
}

function helpOf(command: CommandName): string {
  return `npm run ops -- ${asked(command)}

  ${commands[command].does}
${rolesOfCommands[command] === undefined ? '' : `\n  The role of the operator key: ${rolesOfCommands[command]}.\n`}
  Where: --data DIR for an embedded stack, or --stage NAME --region NAME for one on AWS, with --key-file FILE for what goes
  through the API. Everything: npm run ops -- --help
`;
}

function isCommand(word: string): word is CommandName {
  return Object.hasOwn(commands, word);
}

function parse(words: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        ...(Object.fromEntries(PLACES.map((flag) => [flag, text])) as Record<(typeof PLACES)[number], typeof text>),
        'tenant-key-file': text,
        after: text,
        export: text,
        file: text,
        connection: text,
        type: text,
        limit: text,
        tenant: text,
        redrive: text,
        discard: text,
        shape: text,
        by: text,
        role: text,
        connections: text,
        set: text,
        canary: text,
        promote: { type: 'boolean' },
        'roll-back': { type: 'boolean' },
        wait: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw toBadInput(error);
  }
}
