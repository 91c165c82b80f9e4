using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Lifecycle.Capture.Storage.Migrations
{
    /// <inheritdoc />
    public partial class InitialSchema : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureSchema(
                name: "capture");

            migrationBuilder.CreateTable(
                name: "activity",
                schema: "capture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    visitor_id = table.Column<Guid>(type: "uuid", nullable: true),
                    session_id = table.Column<Guid>(type: "uuid", nullable: true),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: true),
                    type = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    url = table.Column<string>(type: "text", nullable: true),
                    properties = table.Column<string>(type: "jsonb", nullable: false),
                    source_kind = table.Column<short>(type: "smallint", nullable: false),
                    channel = table.Column<string>(type: "text", nullable: true),
                    source = table.Column<string>(type: "text", nullable: true),
                    medium = table.Column<string>(type: "text", nullable: true),
                    campaign = table.Column<string>(type: "text", nullable: true),
                    keyword = table.Column<string>(type: "text", nullable: true),
                    click_id = table.Column<string>(type: "text", nullable: true),
                    opens = table.Column<bool>(type: "boolean", nullable: false),
                    identity_kind = table.Column<string>(type: "text", nullable: true),
                    identity_value = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_activity", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "hit_count",
                schema: "capture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    bucket = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    detail = table.Column<string>(type: "text", nullable: false),
                    hits = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_hit_count", x => new { x.workspace_id, x.bucket, x.kind, x.detail });
                });

            migrationBuilder.CreateTable(
                name: "idempotency",
                schema: "capture",
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
                schema: "capture",
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
                schema: "capture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    email = table.Column<string>(type: "text", nullable: false),
                    external_id = table.Column<string>(type: "text", nullable: false),
                    stage = table.Column<string>(type: "text", nullable: false),
                    stage_version = table.Column<long>(type: "bigint", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    update_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    capture_type = table.Column<string>(type: "text", nullable: false),
                    form_type = table.Column<string>(type: "text", nullable: true),
                    capture_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    profile = table.Column<string>(type: "jsonb", nullable: false),
                    own = table.Column<string>(type: "jsonb", nullable: false),
                    told_touch = table.Column<string>(type: "jsonb", nullable: true),
                    first_touch = table.Column<string>(type: "jsonb", nullable: true),
                    last_touch = table.Column<string>(type: "jsonb", nullable: true),
                    channel = table.Column<string>(type: "text", nullable: false),
                    source = table.Column<string>(type: "text", nullable: true),
                    medium = table.Column<string>(type: "text", nullable: true),
                    campaign = table.Column<string>(type: "text", nullable: true),
                    keyword = table.Column<string>(type: "text", nullable: true),
                    erase_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_lead", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "lead_identity",
                schema: "capture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    value = table.Column<string>(type: "text", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_lead_identity", x => new { x.workspace_id, x.kind, x.value });
                });

            migrationBuilder.CreateTable(
                name: "lead_redirect",
                schema: "capture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    source_id = table.Column<Guid>(type: "uuid", nullable: false),
                    target_id = table.Column<Guid>(type: "uuid", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_lead_redirect", x => new { x.workspace_id, x.source_id });
                });

            migrationBuilder.CreateTable(
                name: "message",
                schema: "capture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    message_id = table.Column<string>(type: "text", nullable: false),
                    received_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_message", x => new { x.workspace_id, x.message_id });
                });

            migrationBuilder.CreateTable(
                name: "outbox",
                schema: "capture",
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
                name: "session",
                schema: "capture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    visitor_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: true),
                    start_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    end_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    source_kind = table.Column<short>(type: "smallint", nullable: false),
                    channel = table.Column<string>(type: "text", nullable: false),
                    source = table.Column<string>(type: "text", nullable: true),
                    medium = table.Column<string>(type: "text", nullable: true),
                    campaign = table.Column<string>(type: "text", nullable: true),
                    keyword = table.Column<string>(type: "text", nullable: true),
                    click_id = table.Column<string>(type: "text", nullable: true),
                    landing_page = table.Column<string>(type: "text", nullable: true),
                    exit_page = table.Column<string>(type: "text", nullable: true),
                    page_views = table.Column<int>(type: "integer", nullable: false),
                    activities = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_session", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "spend",
                schema: "capture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    date = table.Column<DateOnly>(type: "date", nullable: false),
                    source = table.Column<string>(type: "text", nullable: false),
                    medium = table.Column<string>(type: "text", nullable: false),
                    campaign = table.Column<string>(type: "text", nullable: false),
                    keyword = table.Column<string>(type: "text", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    channel = table.Column<string>(type: "text", nullable: false),
                    currency_code = table.Column<string>(type: "text", nullable: false),
                    amount = table.Column<decimal>(type: "numeric", nullable: false),
                    impressions = table.Column<long>(type: "bigint", nullable: false),
                    clicks = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_spend", x => new { x.workspace_id, x.date, x.source, x.medium, x.campaign, x.keyword });
                });

            migrationBuilder.CreateTable(
                name: "visitor",
                schema: "capture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    anonymous_id = table.Column<string>(type: "text", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: true),
                    last_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_visitor", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "workspace",
                schema: "capture",
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
                name: "ix_activity_workspace_id_identity_kind_identity_value",
                schema: "capture",
                table: "activity",
                columns: new[] { "workspace_id", "identity_kind", "identity_value" },
                filter: "identity_value is not null");

            migrationBuilder.CreateIndex(
                name: "ix_activity_workspace_id_lead_id_time",
                schema: "capture",
                table: "activity",
                columns: new[] { "workspace_id", "lead_id", "time" },
                filter: "lead_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_activity_workspace_id_visitor_id_time",
                schema: "capture",
                table: "activity",
                columns: new[] { "workspace_id", "visitor_id", "time" });

            migrationBuilder.CreateIndex(
                name: "ix_idempotency_workspace_id_created_at",
                schema: "capture",
                table: "idempotency",
                columns: new[] { "workspace_id", "created_at" });

            migrationBuilder.CreateIndex(
                name: "ix_inbox_handled_at",
                schema: "capture",
                table: "inbox",
                column: "handled_at");

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_create_time_id",
                schema: "capture",
                table: "lead",
                columns: new[] { "workspace_id", "create_time", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_email_id",
                schema: "capture",
                table: "lead",
                columns: new[] { "workspace_id", "email", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_lead_identity_workspace_id_lead_id",
                schema: "capture",
                table: "lead_identity",
                columns: new[] { "workspace_id", "lead_id" });

            migrationBuilder.CreateIndex(
                name: "ix_lead_redirect_workspace_id_target_id",
                schema: "capture",
                table: "lead_redirect",
                columns: new[] { "workspace_id", "target_id" });

            migrationBuilder.CreateIndex(
                name: "ix_message_workspace_id_received_at",
                schema: "capture",
                table: "message",
                columns: new[] { "workspace_id", "received_at" });

            migrationBuilder.CreateIndex(
                name: "ix_outbox_ordering_key_seq",
                schema: "capture",
                table: "outbox",
                columns: new[] { "ordering_key", "seq" },
                filter: "not_before is not null");

            migrationBuilder.CreateIndex(
                name: "ix_session_workspace_id_lead_id_start_time",
                schema: "capture",
                table: "session",
                columns: new[] { "workspace_id", "lead_id", "start_time" },
                filter: "lead_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_session_workspace_id_start_time",
                schema: "capture",
                table: "session",
                columns: new[] { "workspace_id", "start_time" });

            migrationBuilder.CreateIndex(
                name: "ix_session_workspace_id_visitor_id_start_time",
                schema: "capture",
                table: "session",
                columns: new[] { "workspace_id", "visitor_id", "start_time" });

            migrationBuilder.CreateIndex(
                name: "ix_spend_workspace_id_date_id",
                schema: "capture",
                table: "spend",
                columns: new[] { "workspace_id", "date", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_visitor_workspace_id_anonymous_id",
                schema: "capture",
                table: "visitor",
                columns: new[] { "workspace_id", "anonymous_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_visitor_workspace_id_lead_id",
                schema: "capture",
                table: "visitor",
                columns: new[] { "workspace_id", "lead_id" },
                filter: "lead_id is not null");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "activity",
                schema: "capture");

            migrationBuilder.DropTable(
                name: "hit_count",
                schema: "capture");

            migrationBuilder.DropTable(
                name: "idempotency",
                schema: "capture");

            migrationBuilder.DropTable(
                name: "inbox",
                schema: "capture");

            migrationBuilder.DropTable(
                name: "lead",
                schema: "capture");

            migrationBuilder.DropTable(
                name: "lead_identity",
                schema: "capture");

            migrationBuilder.DropTable(
                name: "lead_redirect",
                schema: "capture");

            migrationBuilder.DropTable(
                name: "message",
                schema: "capture");

            migrationBuilder.DropTable(
                name: "outbox",
                schema: "capture");

            migrationBuilder.DropTable(
                name: "session",
                schema: "capture");

            migrationBuilder.DropTable(
                name: "spend",
                schema: "capture");

            migrationBuilder.DropTable(
                name: "visitor",
                schema: "capture");

            migrationBuilder.DropTable(
                name: "workspace",
                schema: "capture");
        }
    }
}
