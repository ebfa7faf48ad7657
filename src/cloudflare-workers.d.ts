/** The runtime's own module, which no package brings: its types are in @cloudflare/workers-types. */
declare module 'cloudflare:workers' {
  import type { CloudflareWorkersModule } from '@cloudflare/workers-types';

  export abstract class DurableObject<Env> extends CloudflareWorkersModule.DurableObject<Env> {}
}
