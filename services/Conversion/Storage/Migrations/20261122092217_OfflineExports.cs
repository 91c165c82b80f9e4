using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Conversion.Storage.Migrations
{
    /// <inheritdoc />
    public partial class OfflineExports : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "offline_export",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    actor = table.Column<string>(type: "text", nullable: false),
                    from_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    to_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    click_id_type = table.Column<string>(type: "text", nullable: false),
                    conversion_name = table.Column<string>(type: "text", nullable: false),
                    only_new = table.Column<bool>(type: "boolean", nullable: false),
                    conversions = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_offline_export", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "offline_export_deal",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    export_id = table.Column<Guid>(type: "uuid", nullable: false),
                    opportunity_id = table.Column<Guid>(type: "uuid", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_offline_export_deal", x => new { x.workspace_id, x.export_id, x.opportunity_id });
                });

            migrationBuilder.CreateIndex(
                name: "ix_offline_export_workspace_id_create_time_id",
                schema: "conversion",
                table: "offline_export",
                columns: new[] { "workspace_id", "create_time", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_offline_export_deal_workspace_id_opportunity_id",
                schema: "conversion",
                table: "offline_export_deal",
                columns: new[] { "workspace_id", "opportunity_id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "offline_export",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "offline_export_deal",
                schema: "conversion");
        }
    }
}
