using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Lifecycle.Conversion.Storage.Migrations
{
    /// <inheritdoc />
    public partial class InitialSchema : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureSchema(
                name: "conversion");

            migrationBuilder.CreateTable(
                name: "handoff",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    owner = table.Column<string>(type: "text", nullable: true),
                    reasons = table.Column<string>(type: "jsonb", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    accept_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    close_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    score = table.Column<decimal>(type: "numeric", nullable: true),
                    return_reason = table.Column<string>(type: "text", nullable: true),
                    note = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_handoff", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "held_event",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    event_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    type = table.Column<string>(type: "text", nullable: false),
                    body = table.Column<string>(type: "jsonb", nullable: false),
                    occurred_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_held_event", x => new { x.workspace_id, x.event_id });
                });

            migrationBuilder.CreateTable(
                name: "idempotency",
                schema: "conversion",
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
                schema: "conversion",
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
                name: "journey",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    opportunity_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    due_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    attempts = table.Column<int>(type: "integer", nullable: false),
                    touches = table.Column<string>(type: "jsonb", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_journey", x => new { x.workspace_id, x.opportunity_id });
                });

            migrationBuilder.CreateTable(
                name: "lead",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    stage = table.Column<string>(type: "text", nullable: false),
                    highest_stage = table.Column<string>(type: "text", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    enter_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    captured = table.Column<bool>(type: "boolean", nullable: false),
                    score = table.Column<decimal>(type: "numeric", nullable: true),
                    scoring_version = table.Column<long>(type: "bigint", nullable: false),
                    retention_version = table.Column<long>(type: "bigint", nullable: false),
                    profile_version = table.Column<long>(type: "bigint", nullable: false),
                    email = table.Column<string>(type: "text", nullable: true),
                    external_id = table.Column<string>(type: "text", nullable: true),
                    capture_type = table.Column<string>(type: "text", nullable: true),
                    form_type = table.Column<string>(type: "text", nullable: true),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    channel = table.Column<string>(type: "text", nullable: true),
                    source = table.Column<string>(type: "text", nullable: true),
                    medium = table.Column<string>(type: "text", nullable: true),
                    campaign = table.Column<string>(type: "text", nullable: true),
                    keyword = table.Column<string>(type: "text", nullable: true),
                    landing_page = table.Column<string>(type: "text", nullable: true),
                    click_id = table.Column<string>(type: "text", nullable: true),
                    touch_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    session_id = table.Column<Guid>(type: "uuid", nullable: true),
                    merged_into = table.Column<Guid>(type: "uuid", nullable: true),
                    erased = table.Column<bool>(type: "boolean", nullable: false),
                    advocate_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    churn_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_lead", x => new { x.workspace_id, x.lead_id });
                });

            migrationBuilder.CreateTable(
                name: "opportunity",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: true),
                    external_id = table.Column<string>(type: "text", nullable: true),
                    name = table.Column<string>(type: "text", nullable: false),
                    amount = table.Column<decimal>(type: "numeric", nullable: false),
                    currency_code = table.Column<string>(type: "text", nullable: false),
                    pipeline_id = table.Column<Guid>(type: "uuid", nullable: false),
                    stage = table.Column<string>(type: "text", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    owner = table.Column<string>(type: "text", nullable: true),
                    product = table.Column<string>(type: "text", nullable: true),
                    account = table.Column<string>(type: "text", nullable: true),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    expected_close_date = table.Column<DateOnly>(type: "date", nullable: true),
                    close_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    lose_reason = table.Column<string>(type: "text", nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_opportunity", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "outbox",
                schema: "conversion",
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
                name: "pipeline",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    display_name = table.Column<string>(type: "text", nullable: false),
                    stages = table.Column<string>(type: "jsonb", nullable: false),
                    is_default = table.Column<bool>(type: "boolean", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_pipeline", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "return_reasons",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    reasons = table.Column<string[]>(type: "text[]", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_return_reasons", x => x.workspace_id);
                });

            migrationBuilder.CreateTable(
                name: "spend",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    date = table.Column<DateOnly>(type: "date", nullable: false),
                    source = table.Column<string>(type: "text", nullable: false),
                    medium = table.Column<string>(type: "text", nullable: false),
                    campaign = table.Column<string>(type: "text", nullable: false),
                    keyword = table.Column<string>(type: "text", nullable: false),
                    channel = table.Column<string>(type: "text", nullable: false),
                    amount = table.Column<decimal>(type: "numeric", nullable: false),
                    currency_code = table.Column<string>(type: "text", nullable: false),
                    clicks = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_spend", x => new { x.workspace_id, x.date, x.source, x.medium, x.campaign, x.keyword });
                });

            migrationBuilder.CreateTable(
                name: "stage_change",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    from_stage = table.Column<string>(type: "text", nullable: false),
                    to_stage = table.Column<string>(type: "text", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: false),
                    actor = table.Column<string>(type: "text", nullable: false),
                    time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    score = table.Column<decimal>(type: "numeric", nullable: true),
                    note = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_stage_change", x => new { x.workspace_id, x.lead_id, x.version });
                });

            migrationBuilder.CreateTable(
                name: "workspace",
                schema: "conversion",
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
                name: "handoff_one_open",
                schema: "conversion",
                table: "handoff",
                columns: new[] { "workspace_id", "lead_id" },
                unique: true,
                filter: "state = 'OPEN'");

            migrationBuilder.CreateIndex(
                name: "ix_handoff_workspace_id_create_time_id",
                schema: "conversion",
                table: "handoff",
                columns: new[] { "workspace_id", "create_time", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_held_event_workspace_id_lead_id",
                schema: "conversion",
                table: "held_event",
                columns: new[] { "workspace_id", "lead_id" });

            migrationBuilder.CreateIndex(
                name: "ix_idempotency_workspace_id_created_at",
                schema: "conversion",
                table: "idempotency",
                columns: new[] { "workspace_id", "created_at" });

            migrationBuilder.CreateIndex(
                name: "ix_inbox_handled_at",
                schema: "conversion",
                table: "inbox",
                column: "handled_at");

            migrationBuilder.CreateIndex(
                name: "ix_journey_workspace_id_due_time",
                schema: "conversion",
                table: "journey",
                columns: new[] { "workspace_id", "due_time" },
                filter: "due_time is not null");

            migrationBuilder.CreateIndex(
                name: "ix_journey_workspace_id_lead_id",
                schema: "conversion",
                table: "journey",
                columns: new[] { "workspace_id", "lead_id" });

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_create_time",
                schema: "conversion",
                table: "lead",
                columns: new[] { "workspace_id", "create_time" });

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_email",
                schema: "conversion",
                table: "lead",
                columns: new[] { "workspace_id", "email" },
                filter: "email is not null");

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_merged_into",
                schema: "conversion",
                table: "lead",
                columns: new[] { "workspace_id", "merged_into" },
                filter: "merged_into is not null");

            migrationBuilder.CreateIndex(
                name: "ix_opportunity_workspace_id_close_time",
                schema: "conversion",
                table: "opportunity",
                columns: new[] { "workspace_id", "close_time" },
                filter: "close_time is not null");

            migrationBuilder.CreateIndex(
                name: "ix_opportunity_workspace_id_create_time_id",
                schema: "conversion",
                table: "opportunity",
                columns: new[] { "workspace_id", "create_time", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_opportunity_workspace_id_external_id",
                schema: "conversion",
                table: "opportunity",
                columns: new[] { "workspace_id", "external_id" },
                unique: true,
                filter: "external_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_opportunity_workspace_id_lead_id",
                schema: "conversion",
                table: "opportunity",
                columns: new[] { "workspace_id", "lead_id" },
                filter: "lead_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_opportunity_workspace_id_pipeline_id_stage",
                schema: "conversion",
                table: "opportunity",
                columns: new[] { "workspace_id", "pipeline_id", "stage" });

            migrationBuilder.CreateIndex(
                name: "ix_outbox_ordering_key_seq",
                schema: "conversion",
                table: "outbox",
                columns: new[] { "ordering_key", "seq" },
                filter: "not_before is not null");

            migrationBuilder.CreateIndex(
                name: "pipeline_one_default",
                schema: "conversion",
                table: "pipeline",
                column: "workspace_id",
                unique: true,
                filter: "is_default");

            migrationBuilder.CreateIndex(
                name: "ix_stage_change_workspace_id_time",
                schema: "conversion",
                table: "stage_change",
                columns: new[] { "workspace_id", "time" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "handoff",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "held_event",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "idempotency",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "inbox",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "journey",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "lead",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "opportunity",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "outbox",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "pipeline",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "return_reasons",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "spend",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "stage_change",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "workspace",
                schema: "conversion");
        }
    }
}
