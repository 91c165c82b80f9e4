using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Lifecycle.Scoring.Storage.Migrations
{
    /// <inheritdoc />
    public partial class InitialSchema : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureSchema(
                name: "scoring");

            migrationBuilder.CreateTable(
                name: "activity",
                schema: "scoring",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    activity_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    type = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    session_id = table.Column<Guid>(type: "uuid", nullable: true),
                    url = table.Column<string>(type: "text", nullable: true),
                    properties = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_activity", x => new { x.workspace_id, x.activity_id });
                });

            migrationBuilder.CreateTable(
                name: "idempotency",
                schema: "scoring",
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
                schema: "scoring",
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
                name: "lead",
                schema: "scoring",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    profile_version = table.Column<long>(type: "bigint", nullable: false),
                    profile = table.Column<string>(type: "jsonb", nullable: true),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    channel = table.Column<string>(type: "text", nullable: true),
                    source = table.Column<string>(type: "text", nullable: true),
                    medium = table.Column<string>(type: "text", nullable: true),
                    campaign = table.Column<string>(type: "text", nullable: true),
                    since = table.Column<string>(type: "jsonb", nullable: false, defaultValueSql: "'{}'"),
                    stage = table.Column<string>(type: "text", nullable: true),
                    stage_version = table.Column<long>(type: "bigint", nullable: false),
                    customer_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    merged_into = table.Column<Guid>(type: "uuid", nullable: true),
                    erase_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    qualified = table.Column<bool>(type: "boolean", nullable: false),
                    decided_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    returned = table.Column<bool>(type: "boolean", nullable: false),
                    due_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    model_version = table.Column<int>(type: "integer", nullable: false),
                    state = table.Column<string>(type: "jsonb", nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    live_version = table.Column<long>(type: "bigint", nullable: false),
                    change_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_lead", x => new { x.workspace_id, x.lead_id });
                });

            migrationBuilder.CreateTable(
                name: "ledger",
                schema: "scoring",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    rule_id = table.Column<string>(type: "text", nullable: false),
                    activity_id = table.Column<Guid>(type: "uuid", nullable: false),
                    category = table.Column<short>(type: "smallint", nullable: false),
                    points = table.Column<decimal>(type: "numeric", nullable: false),
                    time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    half_life_seconds = table.Column<double>(type: "double precision", nullable: true),
                    model_version = table.Column<int>(type: "integer", nullable: false),
                    evidence = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_ledger", x => new { x.workspace_id, x.lead_id, x.rule_id, x.activity_id });
                });

            migrationBuilder.CreateTable(
                name: "model",
                schema: "scoring",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    definition = table.Column<string>(type: "jsonb", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    actor = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_model", x => new { x.workspace_id, x.version });
                });

            migrationBuilder.CreateTable(
                name: "outbox",
                schema: "scoring",
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
                name: "transition",
                schema: "scoring",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    transition_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    qualified = table.Column<bool>(type: "boolean", nullable: false),
                    time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    score = table.Column<decimal>(type: "numeric", nullable: false),
                    model_version = table.Column<int>(type: "integer", nullable: false),
                    reasons = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_transition", x => new { x.workspace_id, x.transition_id });
                });

            migrationBuilder.CreateTable(
                name: "workspace",
                schema: "scoring",
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
                name: "ix_activity_workspace_id_lead_id_time",
                schema: "scoring",
                table: "activity",
                columns: new[] { "workspace_id", "lead_id", "time" });

            migrationBuilder.CreateIndex(
                name: "ix_idempotency_workspace_id_created_at",
                schema: "scoring",
                table: "idempotency",
                columns: new[] { "workspace_id", "created_at" });

            migrationBuilder.CreateIndex(
                name: "ix_inbox_handled_at",
                schema: "scoring",
                table: "inbox",
                column: "handled_at");

            migrationBuilder.CreateIndex(
                name: "ix_lead_stale",
                schema: "scoring",
                table: "lead",
                columns: new[] { "workspace_id", "lead_id" },
                filter: "live_version < version");

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_create_time",
                schema: "scoring",
                table: "lead",
                columns: new[] { "workspace_id", "create_time" });

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_due_time",
                schema: "scoring",
                table: "lead",
                columns: new[] { "workspace_id", "due_time" },
                filter: "due_time is not null");

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_model_version",
                schema: "scoring",
                table: "lead",
                columns: new[] { "workspace_id", "model_version" },
                filter: "state is not null");

            migrationBuilder.CreateIndex(
                name: "ix_ledger_workspace_id_time",
                schema: "scoring",
                table: "ledger",
                columns: new[] { "workspace_id", "time" });

            migrationBuilder.CreateIndex(
                name: "ix_outbox_ordering_key_seq",
                schema: "scoring",
                table: "outbox",
                columns: new[] { "ordering_key", "seq" },
                filter: "not_before is not null");

            migrationBuilder.CreateIndex(
                name: "ix_transition_workspace_id_lead_id",
                schema: "scoring",
                table: "transition",
                columns: new[] { "workspace_id", "lead_id" });

            migrationBuilder.CreateIndex(
                name: "ix_transition_workspace_id_time",
                schema: "scoring",
                table: "transition",
                columns: new[] { "workspace_id", "time" },
                filter: "qualified");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "activity",
                schema: "scoring");

            migrationBuilder.DropTable(
                name: "idempotency",
                schema: "scoring");

            migrationBuilder.DropTable(
                name: "inbox",
                schema: "scoring");

            migrationBuilder.DropTable(
                name: "lead",
                schema: "scoring");

            migrationBuilder.DropTable(
                name: "ledger",
                schema: "scoring");

            migrationBuilder.DropTable(
                name: "model",
                schema: "scoring");

            migrationBuilder.DropTable(
                name: "outbox",
                schema: "scoring");

            migrationBuilder.DropTable(
                name: "transition",
                schema: "scoring");

            migrationBuilder.DropTable(
                name: "workspace",
                schema: "scoring");
        }
    }
}
