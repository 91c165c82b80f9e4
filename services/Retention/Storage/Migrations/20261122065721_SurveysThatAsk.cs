using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Retention.Storage.Migrations
{
    /// <inheritdoc />
    public partial class SurveysThatAsk : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_survey_answer_workspace_id_survey_id_customer_id",
                schema: "retention",
                table: "survey_answer");

            migrationBuilder.AddColumn<Guid>(
                name: "invitation_id",
                schema: "retention",
                table: "survey_answer",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "after_onboarding_days",
                schema: "retention",
                table: "survey",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "asks",
                schema: "retention",
                table: "survey",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<int>(
                name: "close_loop_hours",
                schema: "retention",
                table: "survey",
                type: "integer",
                nullable: false,
                defaultValue: 48);

            migrationBuilder.AddColumn<Guid>(
                name: "email_id",
                schema: "retention",
                table: "survey",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "fatigue_days",
                schema: "retention",
                table: "survey",
                type: "integer",
                nullable: false,
                defaultValue: 30);

            migrationBuilder.AddColumn<bool>(
                name: "quarterly",
                schema: "retention",
                table: "survey",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<long>(
                name: "sample_seed",
                schema: "retention",
                table: "survey",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<double>(
                name: "sample_share",
                schema: "retention",
                table: "survey",
                type: "double precision",
                nullable: false,
                defaultValue: 1.0);

            migrationBuilder.AddColumn<string>(
                name: "support_event",
                schema: "retention",
                table: "survey",
                type: "text",
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "click_time",
                schema: "retention",
                table: "campaign_email",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<Guid>(
                name: "program_id",
                schema: "retention",
                table: "campaign_email",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "replied",
                schema: "retention",
                table: "campaign_email",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.CreateTable(
                name: "survey_invitation",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    survey_id = table.Column<Guid>(type: "uuid", nullable: false),
                    customer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: true),
                    occasion = table.Column<string>(type: "text", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: true),
                    due_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    invite_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_survey_invitation", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "survey_task",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    answer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    survey_id = table.Column<Guid>(type: "uuid", nullable: false),
                    customer_id = table.Column<Guid>(type: "uuid", nullable: true),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: true),
                    score = table.Column<int>(type: "integer", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    owner = table.Column<string>(type: "text", nullable: false),
                    due_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    done_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    note = table.Column<string>(type: "text", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_survey_task", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "survey_theme",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    display_name = table.Column<string>(type: "text", nullable: false),
                    keywords = table.Column<string[]>(type: "text[]", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_survey_theme", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateIndex(
                name: "ix_survey_answer_workspace_id_answer_time",
                schema: "retention",
                table: "survey_answer",
                columns: new[] { "workspace_id", "answer_time" });

            migrationBuilder.CreateIndex(
                name: "ix_survey_answer_workspace_id_invitation_id",
                schema: "retention",
                table: "survey_answer",
                columns: new[] { "workspace_id", "invitation_id" },
                unique: true,
                filter: "invitation_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_survey_answer_workspace_id_survey_id_customer_id",
                schema: "retention",
                table: "survey_answer",
                columns: new[] { "workspace_id", "survey_id", "customer_id" },
                unique: true,
                filter: "by_link and invitation_id is null");

            migrationBuilder.CreateIndex(
                name: "ix_survey_invitation_workspace_id_due_time",
                schema: "retention",
                table: "survey_invitation",
                columns: new[] { "workspace_id", "due_time" },
                filter: "state = 'PENDING'");

            migrationBuilder.CreateIndex(
                name: "ix_survey_invitation_workspace_id_invite_time",
                schema: "retention",
                table: "survey_invitation",
                columns: new[] { "workspace_id", "invite_time" },
                filter: "state = 'INVITED'");

            migrationBuilder.CreateIndex(
                name: "ix_survey_invitation_workspace_id_lead_id_invite_time",
                schema: "retention",
                table: "survey_invitation",
                columns: new[] { "workspace_id", "lead_id", "invite_time" },
                filter: "state = 'INVITED'");

            migrationBuilder.CreateIndex(
                name: "ix_survey_invitation_workspace_id_survey_id_customer_id_occasi~",
                schema: "retention",
                table: "survey_invitation",
                columns: new[] { "workspace_id", "survey_id", "customer_id", "occasion" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_survey_task_workspace_id_answer_id",
                schema: "retention",
                table: "survey_task",
                columns: new[] { "workspace_id", "answer_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_survey_task_workspace_id_due_time_id",
                schema: "retention",
                table: "survey_task",
                columns: new[] { "workspace_id", "due_time", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_survey_theme_workspace_id_display_name",
                schema: "retention",
                table: "survey_theme",
                columns: new[] { "workspace_id", "display_name" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "survey_invitation",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "survey_task",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "survey_theme",
                schema: "retention");

            migrationBuilder.DropIndex(
                name: "ix_survey_answer_workspace_id_answer_time",
                schema: "retention",
                table: "survey_answer");

            migrationBuilder.DropIndex(
                name: "ix_survey_answer_workspace_id_invitation_id",
                schema: "retention",
                table: "survey_answer");

            migrationBuilder.DropIndex(
                name: "ix_survey_answer_workspace_id_survey_id_customer_id",
                schema: "retention",
                table: "survey_answer");

            migrationBuilder.DropColumn(
                name: "invitation_id",
                schema: "retention",
                table: "survey_answer");

            migrationBuilder.DropColumn(
                name: "after_onboarding_days",
                schema: "retention",
                table: "survey");

            migrationBuilder.DropColumn(
                name: "asks",
                schema: "retention",
                table: "survey");

            migrationBuilder.DropColumn(
                name: "close_loop_hours",
                schema: "retention",
                table: "survey");

            migrationBuilder.DropColumn(
                name: "email_id",
                schema: "retention",
                table: "survey");

            migrationBuilder.DropColumn(
                name: "fatigue_days",
                schema: "retention",
                table: "survey");

            migrationBuilder.DropColumn(
                name: "quarterly",
                schema: "retention",
                table: "survey");

            migrationBuilder.DropColumn(
                name: "sample_seed",
                schema: "retention",
                table: "survey");

            migrationBuilder.DropColumn(
                name: "sample_share",
                schema: "retention",
                table: "survey");

            migrationBuilder.DropColumn(
                name: "support_event",
                schema: "retention",
                table: "survey");

            migrationBuilder.DropColumn(
                name: "click_time",
                schema: "retention",
                table: "campaign_email");

            migrationBuilder.DropColumn(
                name: "program_id",
                schema: "retention",
                table: "campaign_email");

            migrationBuilder.DropColumn(
                name: "replied",
                schema: "retention",
                table: "campaign_email");

            migrationBuilder.CreateIndex(
                name: "ix_survey_answer_workspace_id_survey_id_customer_id",
                schema: "retention",
                table: "survey_answer",
                columns: new[] { "workspace_id", "survey_id", "customer_id" },
                unique: true,
                filter: "by_link");
        }
    }
}
