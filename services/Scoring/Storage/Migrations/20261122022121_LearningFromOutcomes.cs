using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Scoring.Storage.Migrations
{
    /// <inheritdoc />
    public partial class LearningFromOutcomes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "outcome",
                schema: "scoring",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    sales_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    won_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    lost_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    profile = table.Column<string>(type: "jsonb", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_outcome", x => new { x.workspace_id, x.lead_id });
                });

            migrationBuilder.CreateTable(
                name: "prediction_model",
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
                    table.PrimaryKey("pk_prediction_model", x => new { x.workspace_id, x.version });
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "outcome",
                schema: "scoring");

            migrationBuilder.DropTable(
                name: "prediction_model",
                schema: "scoring");
        }
    }
}
