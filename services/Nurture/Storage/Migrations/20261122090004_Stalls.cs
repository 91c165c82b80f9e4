using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Nurture.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Stalls : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "stall",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    enrollment_id = table.Column<Guid>(type: "uuid", nullable: false),
                    program_id = table.Column<Guid>(type: "uuid", nullable: false),
                    step_id = table.Column<string>(type: "text", nullable: false),
                    visit = table.Column<int>(type: "integer", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: false),
                    due_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    find_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    tries = table.Column<int>(type: "integer", nullable: false),
                    next_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    end_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_stall", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateIndex(
                name: "ix_enrollment_workspace_id_program_id_step_id",
                schema: "nurture",
                table: "enrollment",
                columns: new[] { "workspace_id", "program_id", "step_id" },
                filter: "state = 'ACTIVE' and fault is not null");

            migrationBuilder.CreateIndex(
                name: "ix_stall_workspace_id_end_time",
                schema: "nurture",
                table: "stall",
                columns: new[] { "workspace_id", "end_time" });

            migrationBuilder.CreateIndex(
                name: "ix_stall_workspace_id_enrollment_id",
                schema: "nurture",
                table: "stall",
                columns: new[] { "workspace_id", "enrollment_id" },
                unique: true,
                filter: "end_time is null");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "stall",
                schema: "nurture");

            migrationBuilder.DropIndex(
                name: "ix_enrollment_workspace_id_program_id_step_id",
                schema: "nurture",
                table: "enrollment");
        }
    }
}
