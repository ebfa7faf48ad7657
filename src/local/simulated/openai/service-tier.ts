/** The tier an answer says it was served in: `auto` and `scale` fall to the default here, `fast` is called `priority`. */
export function servedTier(asked: string | null | undefined): string {
  if (asked === 'fast' || asked === 'priority') return 'priority';
  return asked === 'flex' || asked === 'ultrafast' ? asked : 'default';
}
