using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Nurture.Storage.Migrations
{
    /// <inheritdoc />
    public partial class AwaitImportedLeads : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "pending_entry",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    program_id = table.Column<Guid>(type: "uuid", nullable: false),
                    key = table.Column<string>(type: "text", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_pending_entry", x => new { x.workspace_id, x.lead_id, x.program_id, x.key });
                });

            migrationBuilder.CreateIndex(
                name: "ix_enrollment_held_out",
                schema: "nurture",
                table: "enrollment",
                columns: new[] { "workspace_id", "program_id", "enter_time" },
                filter: "state = 'HELD_OUT'");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "pending_entry",
                schema: "nurture");

            migrationBuilder.DropIndex(
                name: "ix_enrollment_held_out",
                schema: "nurture",
                table: "enrollment");
        }
    }
}
