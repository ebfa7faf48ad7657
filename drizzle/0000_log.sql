-- Generated, then `PARTITION BY` added by hand: Drizzle knows no partitioned tables (T45).
-- Later changes of columns are generated as usual: ALTER TABLE reaches every partition.
CREATE TABLE "customers" (
	"id" text PRIMARY KEY NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "queries" (
	"request_id" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"customer" text NOT NULL,
	"key_id" text NOT NULL,
	"path" text NOT NULL,
	"streamed" boolean NOT NULL,
	"simulated" boolean NOT NULL,
	"passthrough" boolean NOT NULL,
	"session" text,
	"lane" text,
	"turn" integer,
	"tags" jsonb NOT NULL,
	"state" text NOT NULL,
	"status" integer NOT NULL,
	"error_code" text,
	"requested_model" text NOT NULL,
	"provider" text,
	"model" text,
	"model_attempted" text,
	"tier" text,
	"floor" text,
	"reason" text,
	"difficulty_score" double precision,
	"difficulty_label" text,
	"difficulty_unknown" boolean NOT NULL,
	"signals" jsonb NOT NULL,
	"tokens_fresh" integer NOT NULL,
	"tokens_write_5m" integer NOT NULL,
	"tokens_write_1h" integer NOT NULL,
	"tokens_write_30m" integer NOT NULL,
	"tokens_write_12h" integer NOT NULL,
	"tokens_read" integer NOT NULL,
	"tokens_output" integer NOT NULL,
	"tool_calls" integer NOT NULL,
	"cost_usd" numeric(20, 12),
	"baseline_model" text,
	"baseline_cost_usd" numeric(20, 12),
	"attempts" jsonb NOT NULL,
	"escalations" integer NOT NULL,
	"estimated" text[] NOT NULL,
	"price_book" text NOT NULL,
	"basis" text NOT NULL,
	"profile_version" integer NOT NULL,
	"classification_ms" double precision,
	"overhead_ms" double precision NOT NULL,
	"latency_ms" double precision NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "queries_started_at_request_id_pk" PRIMARY KEY("started_at","request_id")
) PARTITION BY RANGE ("started_at");
--> statement-breakpoint
CREATE INDEX "queries_customer_started_at" ON "queries" USING btree ("customer","started_at");
