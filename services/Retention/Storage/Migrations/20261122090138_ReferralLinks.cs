using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Retention.Storage.Migrations
{
    /// <inheritdoc />
    public partial class ReferralLinks : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "declined",
                schema: "retention",
                table: "referral",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<Guid>(
                name: "link_id",
                schema: "retention",
                table: "referral",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "claimed",
                schema: "retention",
                table: "lead_profile",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "known_time",
                schema: "retention",
                table: "lead_profile",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "stage",
                schema: "retention",
                table: "lead_profile",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.CreateTable(
                name: "referral_claim",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    link_id = table.Column<Guid>(type: "uuid", nullable: false),
                    time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_referral_claim", x => new { x.workspace_id, x.lead_id, x.link_id });
                });

            migrationBuilder.CreateTable(
                name: "referral_click",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    link_id = table.Column<Guid>(type: "uuid", nullable: false),
                    time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    people = table.Column<long>(type: "bigint", nullable: false),
                    programs = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_referral_click", x => new { x.workspace_id, x.link_id, x.time });
                });

            migrationBuilder.CreateTable(
                name: "referral_link",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    advocate_lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    code = table.Column<string>(type: "text", nullable: false),
                    program = table.Column<string>(type: "text", nullable: false),
                    landing_page = table.Column<string>(type: "text", nullable: true),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    revoke_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_referral_link", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "referral_settings",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    landing_pages = table.Column<string[]>(type: "text[]", nullable: false),
                    utm_source = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_referral_settings", x => x.workspace_id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_referral_workspace_id_link_id",
                schema: "retention",
                table: "referral",
                columns: new[] { "workspace_id", "link_id" },
                filter: "link_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_referral_workspace_id_referred_lead_id",
                schema: "retention",
                table: "referral",
                columns: new[] { "workspace_id", "referred_lead_id" },
                filter: "referred_lead_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_referral_link_workspace_id_advocate_lead_id",
                schema: "retention",
                table: "referral_link",
                columns: new[] { "workspace_id", "advocate_lead_id" });

            migrationBuilder.CreateIndex(
                name: "ix_referral_link_workspace_id_code",
                schema: "retention",
                table: "referral_link",
                columns: new[] { "workspace_id", "code" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "referral_claim",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "referral_click",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "referral_link",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "referral_settings",
                schema: "retention");

            migrationBuilder.DropIndex(
                name: "ix_referral_workspace_id_link_id",
                schema: "retention",
                table: "referral");

            migrationBuilder.DropIndex(
                name: "ix_referral_workspace_id_referred_lead_id",
                schema: "retention",
                table: "referral");

            migrationBuilder.DropColumn(
                name: "declined",
                schema: "retention",
                table: "referral");

            migrationBuilder.DropColumn(
                name: "link_id",
                schema: "retention",
                table: "referral");

            migrationBuilder.DropColumn(
                name: "claimed",
                schema: "retention",
                table: "lead_profile");

            migrationBuilder.DropColumn(
                name: "known_time",
                schema: "retention",
                table: "lead_profile");

            migrationBuilder.DropColumn(
                name: "stage",
                schema: "retention",
                table: "lead_profile");
        }
    }
}
