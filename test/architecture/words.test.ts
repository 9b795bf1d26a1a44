import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commentsOf } from './sourceText.ts';

/** Words and comments, as `docs/glossary.md` fixes them: one word for one thing, and comments that stand by themselves. */
const root = resolve(import.meta.dirname, '../..');
const SELF = 'test/architecture/words.test.ts';

/** Openings that leave a comment without a subject: relatives, pronouns, participles, and prepositions that hang in the air. */
const HANGING =
  /^(?:Who|Whose|Whom|Whoever|Which|That|Those|Its|They|Their|Of|Under|Told|Said|Made|Asked|Given|Shown|Undefined|Absent|As(?! (?:long|soon) as )|By|From|To|For(?! (?:example|how long|each|all)\b)|So (?:long|many))\b/;

/** Words that the glossary does not use for what it names. They are looked for in identifiers, texts and comments alike. */
const WORDS: readonly {
  readonly say: string;
  readonly not: RegExp;
  /** The folders in which the other word is looked for; all when left out. */
  readonly under?: readonly string[];
  /** Whether only comments are read, because libraries and stored items have the other word as a name. */
  readonly inCommentsOnly?: true;
}[] = [
  { say: 'request of the watchdog, settings of a tenant', not: /\bwish(?:es|ed|ing)?\b/i },
  { say: 'hand-off', not: /\bhand-?overs?\b/i },
  { say: 'failover', not: /\bfail-overs?\b/i },
  { say: 'declared dead', not: /\bdeath sentences?\b|\bsentenced\b/i },
  { say: 'claim of a shard, and nothing else', not: /\bclaim(?:s|ed|ing)? to be\b/i },
  { say: 'fact', not: /\binternal ?events?\b/i },
  { say: 'epoch, or token in a write', not: /\bshard ?(?:version|term|counter)s?\b/i },
  { say: 'worker lease', not: /\bshard (?:lock|lease)s?\b|\bconnection leases?\b/i },
  { say: 'pairing', not: /\bsign-in\b|\bsign(?:ed|ing) in\b/i },
  { say: 'stanza id', not: /\bwamids?\b/i },
  { say: 'look-up', not: /\blookups?\b/i, inCommentsOnly: true },
  {
    say: 'deploy generation, where no socket is meant',
    not: /(?<!deploy )(?<!young )\bgenerations?\b/i,
    under: ['functions/', 'infra/', 'ops/', 'shared/fleet/', 'worker/fleet/'],
    inCommentsOnly: true,
  },
  { say: 'park', not: /\bbacklogged\b/i },
];

const files = ['functions', 'infra', 'ops', 'scripts', 'shared', 'test', 'worker'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:ts|js)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((file) => file !== SELF)
    .map((file) => ({ file, source: readFileSync(join(root, file), 'utf8') }))
    .map((each) => ({ ...each, apart: takenApart(each.source) })),
);

describe('comments', () => {
  it('open with a subject of their own, so that each is understood by itself', () => {
    const hanging = files.flatMap(({ file, source }) =>
      commentsOf(source)
        .filter(({ text }) => HANGING.test(text))
        .map(({ line, text }) => `${file}:${line}: ${text.slice(0, 80)}`),
    );

    expect(hanging).toEqual([]);
  });

  it.each([
    ['/** Whose key it is. */', false],
    ['  // Of the chat.', false],
    ['/**\n * Told before anything leaves.\n */', false],
    ['/** The address of the chat. */', true],
    ['// For example `a`.', true],
    ["const text = '// Of a text';", true],
  ])('are found and judged: %s', (source, isFine) => {
    expect(commentsOf(source).some(({ text }) => HANGING.test(text))).toBe(!isFine);
  });
});

describe('words', () => {
  it.each(WORDS)('say $say, and no other word for it', ({ not, under = [''], inCommentsOnly = false }) => {
    const found = files
      .filter(({ file }) => under.some((folder) => file.startsWith(folder)))
      // Few files have such a word at all, and only these are read line by line.
      .filter(({ source, apart }) => not.test(source) || not.test(apart))
      .flatMap(({ file, source }) =>
        (inCommentsOnly ? commentsOf(source) : linesOf(source)).map((place) => ({ file, ...place })),
      )
      .filter(({ text }) => not.test(text))
      .map(({ file, line, text }) => `${file}:${line}: ${text.trim().slice(0, 120)}`);

    expect(found).toEqual([]);
  });

  it('are looked for in every part of the product', () => {
    expect(files.length).toBeGreaterThan(500);
  });
});

/** The lines of a source, each once more with its identifiers taken apart: `outgoing` is read as `hand Over`, too. */
function linesOf(source: string): readonly { readonly line: number; readonly text: string }[] {
  return source.split('\n').map((text, index) => ({
    line: index + 1,
    text: `${text} ${takenApart(text)}`,
  }));
}

function takenApart(text: string): string {
  return text.replaceAll(/([a-z])([A-Z])/g, '$1 $2');
}
