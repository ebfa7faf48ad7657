CREATE TABLE "sessions" (
	"customer" text NOT NULL,
	"id" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"last_at" timestamp with time zone NOT NULL,
	"steps" integer NOT NULL,
	"tool_calls" integer NOT NULL,
	"tokens_input" bigint NOT NULL,
	"tokens_read" bigint NOT NULL,
	"tokens_output" bigint NOT NULL,
	"cost_usd" numeric(20, 12) NOT NULL,
	"baseline_cost_usd" numeric(20, 12) NOT NULL,
	"unpriced" integer NOT NULL,
	CONSTRAINT "sessions_customer_id_pk" PRIMARY KEY("customer","id")
);
--> statement-breakpoint
CREATE INDEX "sessions_customer_last_at" ON "sessions" USING btree ("customer","last_at");