import { unstable_readConfig } from 'wrangler';
export const x: number = unstable_readConfig({ config: 'a' });
