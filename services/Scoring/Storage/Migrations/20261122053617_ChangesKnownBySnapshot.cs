using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Scoring.Storage.Migrations
{
    /// <inheritdoc />
    public partial class ChangesKnownBySnapshot : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_score_stale",
                schema: "scoring",
                table: "score");

            migrationBuilder.DropIndex(
                name: "ix_lead_stale",
                schema: "scoring",
                table: "lead");

            migrationBuilder.DropColumn(
                name: "live_version",
                schema: "scoring",
                table: "score");

            migrationBuilder.DropColumn(
                name: "live_version",
                schema: "scoring",
                table: "lead");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "live_version",
                schema: "scoring",
                table: "score",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<long>(
                name: "live_version",
                schema: "scoring",
                table: "lead",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.CreateIndex(
                name: "ix_score_stale",
                schema: "scoring",
                table: "score",
                columns: new[] { "workspace_id", "score_name", "lead_id" },
                filter: "live_version < version");

            migrationBuilder.CreateIndex(
                name: "ix_lead_stale",
                schema: "scoring",
                table: "lead",
                columns: new[] { "workspace_id", "lead_id" },
                filter: "live_version < version");
        }
    }
}
