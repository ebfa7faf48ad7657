import { Buffer as B } from 'node:buffer';
export const a = (b: B) => b.toString('latin1');
export const c = B.from('x').toString('latin1');
export const d = (b: B<ArrayBuffer>) => b.length > 0 ? b.toString('latin1') : b.subarray(1).toString('utf8');
