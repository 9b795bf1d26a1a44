import type { Verdict } from './judge.ts';

/** The verdict for a person: one line each. */
export function reportLines({
  used,
  notAllowed,
  explained,
  unexplained,
  wrongExplanations,
}: Verdict): readonly string[] {
  const total = [...used.values()].reduce((sum, count) => sum + count, 0);
  return [
    `${used.size} permissions used, ${total} times`,
    ...[...used].map(([name, count]) => `  ${String(count).padStart(6)}  ${name}`),
    `${notAllowed.size} calls not allowed`,
    ...[...notAllowed].map(([name, count]) => `  ${String(count).padStart(6)}  ${name}`),
    `${explained.length} permissions not used, with a reason`,
    ...explained.map(({ permission, why }) => `  ${permission}: ${why}`),
    `${unexplained.length} permissions not used, without a reason`,
    ...unexplained.map((name) => `  ${name}`),
    `${wrongExplanations.length} wrong reasons`,
    ...wrongExplanations.map((sentence) => `  ${sentence}`),
  ];
}
