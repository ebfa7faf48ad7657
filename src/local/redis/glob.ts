import type { Bytes } from './backend.ts';

/** Redis's glob (`*`, `?`, `[a-z]`, `[^a]`, `\x`) as a pattern for whole keys. */
export function globPattern(glob: Bytes): RegExp {
  let source = '';
  for (let i = 0; i < glob.length; i++) {
    const character = glob.charAt(i);
    const close = character === '[' ? glob.indexOf(']', i + 1) : -1;
    if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    else if (close > 0) {
      const set = glob.slice(i + 1, close);
      const negated = set.startsWith('^');
      source += `[${negated ? '^' : ''}${set.slice(negated ? 1 : 0).replace(/[\\\]^[]/g, '\\$&')}]`;
      i = close;
    } else {
      if (character === '\\' && i + 1 < glob.length) i++;
      source += glob.charAt(i).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    }
  }
  return new RegExp(`^${source}$`, 's');
}
