using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Capture.Storage.Migrations
{
    /// <summary>
    /// Data retention finds old anonymous visitors by id: without their latest activity in any index, and with room on its page, a visit
    /// that goes on rewrites one row and no index.
    /// </summary>
    public partial class VisitorsById : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_visitor_workspace_id_last_time",
                schema: "capture",
                table: "visitor");

            migrationBuilder.CreateIndex(
                name: "ix_visitor_workspace_id_id",
                schema: "capture",
                table: "visitor",
                columns: new[] { "workspace_id", "id" },
                filter: "lead_id is null and anonymous_id !~ '^(expired|erased):'");

            migrationBuilder.Sql("alter table capture.visitor set (fillfactor = 90)");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("alter table capture.visitor reset (fillfactor)");

            migrationBuilder.DropIndex(
                name: "ix_visitor_workspace_id_id",
                schema: "capture",
                table: "visitor");

            migrationBuilder.CreateIndex(
                name: "ix_visitor_workspace_id_last_time",
                schema: "capture",
                table: "visitor",
                columns: new[] { "workspace_id", "last_time" },
                filter: "lead_id is null and anonymous_id !~ '^(expired|erased):'");
        }
    }
}
