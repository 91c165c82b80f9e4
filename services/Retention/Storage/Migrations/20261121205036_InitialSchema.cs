using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Lifecycle.Retention.Storage.Migrations
{
    /// <inheritdoc />
    public partial class InitialSchema : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureSchema(
                name: "retention");

            migrationBuilder.CreateTable(
                name: "advocacy",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    customer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    status = table.Column<string>(type: "text", nullable: false),
                    consent = table.Column<bool>(type: "boolean", nullable: false),
                    title = table.Column<string>(type: "text", nullable: false),
                    url = table.Column<string>(type: "text", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_advocacy", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "campaign_email",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    email_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: true),
                    sent_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    opened = table.Column<bool>(type: "boolean", nullable: false),
                    clicked = table.Column<bool>(type: "boolean", nullable: false),
                    bounced = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_campaign_email", x => new { x.workspace_id, x.email_id });
                });

            migrationBuilder.CreateTable(
                name: "customer",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: true),
                    external_id = table.Column<string>(type: "text", nullable: true),
                    display_name = table.Column<string>(type: "text", nullable: false),
                    churned = table.Column<bool>(type: "boolean", nullable: false),
                    start_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    renewal_date = table.Column<DateOnly>(type: "date", nullable: true),
                    segment = table.Column<string>(type: "text", nullable: false),
                    plan = table.Column<string>(type: "text", nullable: false),
                    churn_reason = table.Column<string>(type: "text", nullable: true),
                    churn_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    mrr = table.Column<decimal>(type: "numeric", nullable: false),
                    total_revenue = table.Column<decimal>(type: "numeric", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_customer", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "idempotency",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    method = table.Column<string>(type: "text", nullable: false),
                    request_id = table.Column<string>(type: "text", nullable: false),
                    request_hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    response = table.Column<byte[]>(type: "bytea", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_idempotency", x => new { x.workspace_id, x.method, x.request_id });
                });

            migrationBuilder.CreateTable(
                name: "inbox",
                schema: "retention",
                columns: table => new
                {
                    message_id = table.Column<Guid>(type: "uuid", nullable: false),
                    consumer = table.Column<string>(type: "text", nullable: false),
                    handled_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_inbox", x => new { x.message_id, x.consumer });
                });

            migrationBuilder.CreateTable(
                name: "lead_profile",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    email = table.Column<string>(type: "text", nullable: true),
                    name = table.Column<string>(type: "text", nullable: true),
                    channel = table.Column<string>(type: "text", nullable: false),
                    source = table.Column<string>(type: "text", nullable: false),
                    medium = table.Column<string>(type: "text", nullable: false),
                    campaign = table.Column<string>(type: "text", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    erased = table.Column<bool>(type: "boolean", nullable: false),
                    merged_into = table.Column<Guid>(type: "uuid", nullable: true),
                    advocate = table.Column<bool>(type: "boolean", nullable: false),
                    advocate_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_lead_profile", x => new { x.workspace_id, x.lead_id });
                });

            migrationBuilder.CreateTable(
                name: "loyalty_entry",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    program_id = table.Column<Guid>(type: "uuid", nullable: false),
                    customer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    points = table.Column<long>(type: "bigint", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: false),
                    time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_loyalty_entry", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "loyalty_member",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    program_id = table.Column<Guid>(type: "uuid", nullable: false),
                    customer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    balance = table.Column<long>(type: "bigint", nullable: false),
                    join_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_loyalty_member", x => new { x.workspace_id, x.program_id, x.customer_id });
                });

            migrationBuilder.CreateTable(
                name: "loyalty_program",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    display_name = table.Column<string>(type: "text", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    tiers = table.Column<string>(type: "jsonb", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_loyalty_program", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "outbox",
                schema: "retention",
                columns: table => new
                {
                    seq = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityAlwaysColumn),
                    message_id = table.Column<Guid>(type: "uuid", nullable: false),
                    type = table.Column<string>(type: "text", nullable: false),
                    body = table.Column<string>(type: "jsonb", nullable: false),
                    headers = table.Column<string>(type: "jsonb", nullable: false),
                    ordering_key = table.Column<string>(type: "text", nullable: true),
                    attempts = table.Column<int>(type: "integer", nullable: false),
                    not_before = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    parked = table.Column<bool>(type: "boolean", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_outbox", x => x.seq);
                });

            migrationBuilder.CreateTable(
                name: "referral",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    advocate_lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    referred_email = table.Column<string>(type: "text", nullable: true),
                    referred_lead_id = table.Column<Guid>(type: "uuid", nullable: true),
                    converted = table.Column<bool>(type: "boolean", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_referral", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "revenue",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    customer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    type = table.Column<string>(type: "text", nullable: false),
                    amount = table.Column<decimal>(type: "numeric", nullable: false),
                    currency_code = table.Column<string>(type: "text", nullable: false),
                    recurrence = table.Column<string>(type: "text", nullable: false),
                    occur_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    external_id = table.Column<string>(type: "text", nullable: true),
                    mrr_delta = table.Column<decimal>(type: "numeric", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_revenue", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "survey",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    type = table.Column<string>(type: "text", nullable: false),
                    display_name = table.Column<string>(type: "text", nullable: false),
                    question = table.Column<string>(type: "text", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_survey", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "survey_answer",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    survey_id = table.Column<Guid>(type: "uuid", nullable: false),
                    customer_id = table.Column<Guid>(type: "uuid", nullable: true),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: true),
                    score = table.Column<int>(type: "integer", nullable: false),
                    comment = table.Column<string>(type: "text", nullable: true),
                    answer_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    by_link = table.Column<bool>(type: "boolean", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_survey_answer", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "workspace",
                schema: "retention",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    display_name = table.Column<string>(type: "text", nullable: false),
                    time_zone = table.Column<string>(type: "text", nullable: false),
                    currency_code = table.Column<string>(type: "text", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_workspace", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_advocacy_workspace_id_customer_id",
                schema: "retention",
                table: "advocacy",
                columns: new[] { "workspace_id", "customer_id" });

            migrationBuilder.CreateIndex(
                name: "ix_campaign_email_workspace_id_lead_id",
                schema: "retention",
                table: "campaign_email",
                columns: new[] { "workspace_id", "lead_id" });

            migrationBuilder.CreateIndex(
                name: "ix_campaign_email_workspace_id_sent_time",
                schema: "retention",
                table: "campaign_email",
                columns: new[] { "workspace_id", "sent_time" });

            migrationBuilder.CreateIndex(
                name: "ix_customer_workspace_id_external_id",
                schema: "retention",
                table: "customer",
                columns: new[] { "workspace_id", "external_id" },
                unique: true,
                filter: "external_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_customer_workspace_id_lead_id",
                schema: "retention",
                table: "customer",
                columns: new[] { "workspace_id", "lead_id" },
                unique: true,
                filter: "lead_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_customer_workspace_id_start_time_id",
                schema: "retention",
                table: "customer",
                columns: new[] { "workspace_id", "start_time", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_idempotency_workspace_id_created_at",
                schema: "retention",
                table: "idempotency",
                columns: new[] { "workspace_id", "created_at" });

            migrationBuilder.CreateIndex(
                name: "ix_inbox_handled_at",
                schema: "retention",
                table: "inbox",
                column: "handled_at");

            migrationBuilder.CreateIndex(
                name: "ix_lead_profile_workspace_id_email",
                schema: "retention",
                table: "lead_profile",
                columns: new[] { "workspace_id", "email" },
                filter: "email is not null");

            migrationBuilder.CreateIndex(
                name: "ix_loyalty_entry_workspace_id_program_id_customer_id",
                schema: "retention",
                table: "loyalty_entry",
                columns: new[] { "workspace_id", "program_id", "customer_id" });

            migrationBuilder.CreateIndex(
                name: "ix_outbox_ordering_key_seq",
                schema: "retention",
                table: "outbox",
                columns: new[] { "ordering_key", "seq" },
                filter: "not_before is not null");

            migrationBuilder.CreateIndex(
                name: "ix_referral_workspace_id_advocate_lead_id",
                schema: "retention",
                table: "referral",
                columns: new[] { "workspace_id", "advocate_lead_id" });

            migrationBuilder.CreateIndex(
                name: "ix_referral_workspace_id_referred_email",
                schema: "retention",
                table: "referral",
                columns: new[] { "workspace_id", "referred_email" },
                unique: true,
                filter: "referred_email is not null");

            migrationBuilder.CreateIndex(
                name: "ix_revenue_workspace_id_customer_id_occur_time",
                schema: "retention",
                table: "revenue",
                columns: new[] { "workspace_id", "customer_id", "occur_time" });

            migrationBuilder.CreateIndex(
                name: "ix_revenue_workspace_id_external_id",
                schema: "retention",
                table: "revenue",
                columns: new[] { "workspace_id", "external_id" },
                unique: true,
                filter: "external_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_revenue_workspace_id_occur_time",
                schema: "retention",
                table: "revenue",
                columns: new[] { "workspace_id", "occur_time" });

            migrationBuilder.CreateIndex(
                name: "ix_survey_answer_workspace_id_survey_id_answer_time",
                schema: "retention",
                table: "survey_answer",
                columns: new[] { "workspace_id", "survey_id", "answer_time" });

            migrationBuilder.CreateIndex(
                name: "ix_survey_answer_workspace_id_survey_id_customer_id",
                schema: "retention",
                table: "survey_answer",
                columns: new[] { "workspace_id", "survey_id", "customer_id" },
                unique: true,
                filter: "by_link");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "advocacy",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "campaign_email",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "customer",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "idempotency",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "inbox",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "lead_profile",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "loyalty_entry",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "loyalty_member",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "loyalty_program",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "outbox",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "referral",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "revenue",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "survey",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "survey_answer",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "workspace",
                schema: "retention");
        }
    }
}
