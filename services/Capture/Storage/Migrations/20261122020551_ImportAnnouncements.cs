using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Capture.Storage.Migrations
{
    /// <inheritdoc />
    public partial class ImportAnnouncements : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "import_announcement",
                schema: "capture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    captured_ids = table.Column<Guid[]>(type: "uuid[]", nullable: false),
                    updated_ids = table.Column<Guid[]>(type: "uuid[]", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_import_announcement", x => new { x.workspace_id, x.id });
                });

            // Counts are changed in place all the time: with room in each page that costs no index entry.
            migrationBuilder.Sql("alter table capture.metric_rollup set (fillfactor = 60);");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("alter table capture.metric_rollup reset (fillfactor);");
            migrationBuilder.DropTable(
                name: "import_announcement",
                schema: "capture");
        }
    }
}
