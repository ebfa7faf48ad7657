import { defineConfig } from 'drizzle-kit';

/** `drizzle-kit generate` writes migrations; src/log/migrate.ts applies them. */
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/stores/schema.ts',
  out: './drizzle',
});
