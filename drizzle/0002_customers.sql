CREATE TABLE "api_keys" (
	"id" text PRIMARY KEY NOT NULL,
	"customer" text NOT NULL,
	"hash" text NOT NULL,
	"name" text NOT NULL,
	"scopes" text[] NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"created_by" text,
	"revoked_at" timestamp with time zone,
	"revoked_by" text
);
--> statement-breakpoint
CREATE TABLE "audit" (
	"id" text PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"customer" text NOT NULL,
	"key_id" text NOT NULL,
	"action" text NOT NULL,
	"target" text NOT NULL,
	"detail" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "customer_limits" (
	"customer" text NOT NULL,
	"key_id" text NOT NULL,
	"requests_per_minute" integer,
	"tokens_per_minute" integer,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_by" text NOT NULL,
	CONSTRAINT "customer_limits_customer_key_id_pk" PRIMARY KEY("customer","key_id")
);
--> statement-breakpoint
CREATE TABLE "customer_settings" (
	"customer" text NOT NULL,
	"version" integer NOT NULL,
	"settings" jsonb NOT NULL,
	"sealed" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"created_by" text NOT NULL,
	CONSTRAINT "customer_settings_customer_version_pk" PRIMARY KEY("customer","version")
);
--> statement-breakpoint
CREATE UNIQUE INDEX "api_keys_hash" ON "api_keys" USING btree ("hash");--> statement-breakpoint
CREATE INDEX "api_keys_customer" ON "api_keys" USING btree ("customer","created_at");--> statement-breakpoint
CREATE INDEX "audit_customer_at" ON "audit" USING btree ("customer","at","id");