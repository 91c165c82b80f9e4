using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Lifecycle.Nurture.Storage.Migrations
{
    /// <inheritdoc />
    public partial class InitialSchema : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureSchema(
                name: "nurture");

            migrationBuilder.CreateTable(
                name: "email",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    display_name = table.Column<string>(type: "text", nullable: false),
                    subject = table.Column<string>(type: "text", nullable: false),
                    html = table.Column<string>(type: "text", nullable: false),
                    text = table.Column<string>(type: "text", nullable: false),
                    from_name = table.Column<string>(type: "text", nullable: false),
                    from_address = table.Column<string>(type: "text", nullable: false),
                    reply_to = table.Column<string>(type: "text", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    update_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_email", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "engagement",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    message_id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    method = table.Column<string>(type: "text", nullable: false),
                    user_agent = table.Column<string>(type: "text", nullable: true),
                    client = table.Column<string>(type: "text", nullable: true),
                    link_index = table.Column<int>(type: "integer", nullable: true),
                    url = table.Column<string>(type: "text", nullable: true),
                    honeypot = table.Column<bool>(type: "boolean", nullable: false),
                    due_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    classification = table.Column<string>(type: "text", nullable: true),
                    reason = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_engagement", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "enrollment",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    program_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    occurrence = table.Column<int>(type: "integer", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    step_id = table.Column<string>(type: "text", nullable: true),
                    due_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    held = table.Column<bool>(type: "boolean", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    trigger = table.Column<string>(type: "text", nullable: false),
                    exit_reason = table.Column<string>(type: "text", nullable: true),
                    enter_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    end_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_enrollment", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "idempotency",
                schema: "nurture",
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
                schema: "nurture",
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
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    profile_version = table.Column<long>(type: "bigint", nullable: false),
                    email = table.Column<string>(type: "text", nullable: true),
                    external_id = table.Column<string>(type: "text", nullable: true),
                    capture_type = table.Column<string>(type: "text", nullable: true),
                    form_type = table.Column<string>(type: "text", nullable: true),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    channel = table.Column<string>(type: "text", nullable: false),
                    source = table.Column<string>(type: "text", nullable: false),
                    medium = table.Column<string>(type: "text", nullable: false),
                    campaign = table.Column<string>(type: "text", nullable: false),
                    traits = table.Column<string>(type: "jsonb", nullable: false),
                    company = table.Column<string>(type: "jsonb", nullable: true),
                    stage = table.Column<string>(type: "text", nullable: true),
                    stage_version = table.Column<long>(type: "bigint", nullable: false),
                    score = table.Column<decimal>(type: "numeric", nullable: true),
                    grade = table.Column<string>(type: "text", nullable: true),
                    band = table.Column<string>(type: "text", nullable: true),
                    score_version = table.Column<long>(type: "bigint", nullable: false),
                    return_reason = table.Column<string>(type: "text", nullable: true),
                    return_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    engage_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    erase_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    merged_into = table.Column<Guid>(type: "uuid", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_lead", x => new { x.workspace_id, x.lead_id });
                });

            migrationBuilder.CreateTable(
                name: "message",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    enrollment_id = table.Column<Guid>(type: "uuid", nullable: true),
                    program_id = table.Column<Guid>(type: "uuid", nullable: true),
                    step_id = table.Column<string>(type: "text", nullable: true),
                    email_id = table.Column<Guid>(type: "uuid", nullable: true),
                    external_id = table.Column<string>(type: "text", nullable: true),
                    state = table.Column<string>(type: "text", nullable: false),
                    detail = table.Column<string>(type: "text", nullable: true),
                    due_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    attempts = table.Column<int>(type: "integer", nullable: false),
                    to_address = table.Column<string>(type: "text", nullable: true),
                    subject = table.Column<string>(type: "text", nullable: true),
                    links = table.Column<string[]>(type: "text[]", nullable: false, defaultValueSql: "'{}'"),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    send_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    deliver_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    bounce_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    open_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    click_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    unsubscribe_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_message", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "mql",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_mql", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "outbox",
                schema: "nurture",
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
                name: "program",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    display_name = table.Column<string>(type: "text", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    path = table.Column<string>(type: "jsonb", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    update_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_program", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "recycling",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    return_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    reopen_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_recycling", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "segment",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    display_name = table.Column<string>(type: "text", nullable: false),
                    condition = table.Column<string>(type: "text", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    evaluated_version = table.Column<int>(type: "integer", nullable: false),
                    evaluated_lead = table.Column<Guid>(type: "uuid", nullable: true),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    update_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_segment", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "segment_member",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    segment_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    enter_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_segment_member", x => new { x.workspace_id, x.segment_id, x.lead_id });
                });

            migrationBuilder.CreateTable(
                name: "spend",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    date = table.Column<DateOnly>(type: "date", nullable: false),
                    source = table.Column<string>(type: "text", nullable: false),
                    medium = table.Column<string>(type: "text", nullable: false),
                    campaign = table.Column<string>(type: "text", nullable: false),
                    keyword = table.Column<string>(type: "text", nullable: false),
                    channel = table.Column<string>(type: "text", nullable: false),
                    currency_code = table.Column<string>(type: "text", nullable: false),
                    amount = table.Column<decimal>(type: "numeric", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_spend", x => new { x.workspace_id, x.date, x.source, x.medium, x.campaign, x.keyword });
                });

            migrationBuilder.CreateTable(
                name: "step_visit",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    enrollment_id = table.Column<Guid>(type: "uuid", nullable: false),
                    step_id = table.Column<string>(type: "text", nullable: false),
                    program_id = table.Column<Guid>(type: "uuid", nullable: false),
                    enter_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    leave_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    outcome = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_step_visit", x => new { x.workspace_id, x.enrollment_id, x.step_id });
                });

            migrationBuilder.CreateTable(
                name: "suppression",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    email_hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    email = table.Column<string>(type: "text", nullable: true),
                    reason = table.Column<string>(type: "text", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_suppression", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "workspace",
                schema: "nurture",
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
                name: "ix_engagement_workspace_id_due_time",
                schema: "nurture",
                table: "engagement",
                columns: new[] { "workspace_id", "due_time" },
                filter: "due_time is not null");

            migrationBuilder.CreateIndex(
                name: "ix_engagement_workspace_id_message_id",
                schema: "nurture",
                table: "engagement",
                columns: new[] { "workspace_id", "message_id" });

            migrationBuilder.CreateIndex(
                name: "ix_enrollment_workspace_id_due_time",
                schema: "nurture",
                table: "enrollment",
                columns: new[] { "workspace_id", "due_time" },
                filter: "state = 'ACTIVE' and not held");

            migrationBuilder.CreateIndex(
                name: "ix_enrollment_workspace_id_lead_id_program_id",
                schema: "nurture",
                table: "enrollment",
                columns: new[] { "workspace_id", "lead_id", "program_id" },
                unique: true,
                filter: "state = 'ACTIVE'");

            migrationBuilder.CreateIndex(
                name: "ix_enrollment_workspace_id_program_id_enter_time",
                schema: "nurture",
                table: "enrollment",
                columns: new[] { "workspace_id", "program_id", "enter_time" });

            migrationBuilder.CreateIndex(
                name: "ix_enrollment_workspace_id_program_id_lead_id_occurrence",
                schema: "nurture",
                table: "enrollment",
                columns: new[] { "workspace_id", "program_id", "lead_id", "occurrence" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_idempotency_workspace_id_created_at",
                schema: "nurture",
                table: "idempotency",
                columns: new[] { "workspace_id", "created_at" });

            migrationBuilder.CreateIndex(
                name: "ix_inbox_handled_at",
                schema: "nurture",
                table: "inbox",
                column: "handled_at");

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_create_time",
                schema: "nurture",
                table: "lead",
                columns: new[] { "workspace_id", "create_time" },
                filter: "merged_into is null");

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_merged_into",
                schema: "nurture",
                table: "lead",
                columns: new[] { "workspace_id", "merged_into" },
                filter: "merged_into is not null");

            migrationBuilder.CreateIndex(
                name: "ix_message_workspace_id_due_time",
                schema: "nurture",
                table: "message",
                columns: new[] { "workspace_id", "due_time" },
                filter: "state in ('PENDING', 'SENDING')");

            migrationBuilder.CreateIndex(
                name: "ix_message_workspace_id_enrollment_id_step_id",
                schema: "nurture",
                table: "message",
                columns: new[] { "workspace_id", "enrollment_id", "step_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_message_workspace_id_lead_id_create_time",
                schema: "nurture",
                table: "message",
                columns: new[] { "workspace_id", "lead_id", "create_time" });

            migrationBuilder.CreateIndex(
                name: "ix_message_workspace_id_lead_id_external_id",
                schema: "nurture",
                table: "message",
                columns: new[] { "workspace_id", "lead_id", "external_id" },
                unique: true,
                filter: "external_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_message_workspace_id_program_id_step_id",
                schema: "nurture",
                table: "message",
                columns: new[] { "workspace_id", "program_id", "step_id" });

            migrationBuilder.CreateIndex(
                name: "ix_message_workspace_id_send_time",
                schema: "nurture",
                table: "message",
                columns: new[] { "workspace_id", "send_time" });

            migrationBuilder.CreateIndex(
                name: "ix_mql_workspace_id_lead_id",
                schema: "nurture",
                table: "mql",
                columns: new[] { "workspace_id", "lead_id" });

            migrationBuilder.CreateIndex(
                name: "ix_mql_workspace_id_time",
                schema: "nurture",
                table: "mql",
                columns: new[] { "workspace_id", "time" });

            migrationBuilder.CreateIndex(
                name: "ix_outbox_ordering_key_seq",
                schema: "nurture",
                table: "outbox",
                columns: new[] { "ordering_key", "seq" },
                filter: "not_before is not null");

            migrationBuilder.CreateIndex(
                name: "ix_recycling_workspace_id_lead_id",
                schema: "nurture",
                table: "recycling",
                columns: new[] { "workspace_id", "lead_id" });

            migrationBuilder.CreateIndex(
                name: "ix_recycling_workspace_id_reopen_time",
                schema: "nurture",
                table: "recycling",
                columns: new[] { "workspace_id", "reopen_time" });

            migrationBuilder.CreateIndex(
                name: "ix_segment_workspace_id",
                schema: "nurture",
                table: "segment",
                column: "workspace_id",
                filter: "evaluated_version < version");

            migrationBuilder.CreateIndex(
                name: "ix_segment_member_workspace_id_lead_id",
                schema: "nurture",
                table: "segment_member",
                columns: new[] { "workspace_id", "lead_id" });

            migrationBuilder.CreateIndex(
                name: "ix_segment_member_workspace_id_segment_id_enter_time_lead_id",
                schema: "nurture",
                table: "segment_member",
                columns: new[] { "workspace_id", "segment_id", "enter_time", "lead_id" });

            migrationBuilder.CreateIndex(
                name: "ix_step_visit_workspace_id_program_id_step_id",
                schema: "nurture",
                table: "step_visit",
                columns: new[] { "workspace_id", "program_id", "step_id" });

            migrationBuilder.CreateIndex(
                name: "ix_suppression_workspace_id_email_hash",
                schema: "nurture",
                table: "suppression",
                columns: new[] { "workspace_id", "email_hash" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "email",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "engagement",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "enrollment",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "idempotency",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "inbox",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "lead",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "message",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "mql",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "outbox",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "program",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "recycling",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "segment",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "segment_member",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "spend",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "step_visit",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "suppression",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "workspace",
                schema: "nurture");
        }
    }
}
