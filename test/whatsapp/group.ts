export type Role = 'superadmin' | 'admin' | 'member';

export interface Group {
  /** With `@g.us`. */
  readonly id: string;
  readonly creator: string;
  readonly createdAt: string;
  subject: string;
  description: { readonly id: string; readonly text: string } | undefined;
  /** Numbers of the members. */
  readonly members: Map<string, Role>;
}
