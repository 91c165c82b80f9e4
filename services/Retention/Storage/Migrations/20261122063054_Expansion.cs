using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Retention.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Expansion : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "expansion_rule",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    display_name = table.Column<string>(type: "text", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    condition = table.Column<string>(type: "text", nullable: false),
                    product = table.Column<string>(type: "text", nullable: false),
                    amount = table.Column<decimal>(type: "numeric", nullable: true),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_expansion_rule", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "expansion_suggestion",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    customer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    rule_id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    product = table.Column<string>(type: "text", nullable: false),
                    amount = table.Column<decimal>(type: "numeric", nullable: true),
                    state = table.Column<string>(type: "text", nullable: false),
                    opportunity_id = table.Column<Guid>(type: "uuid", nullable: true),
                    dismiss_reason = table.Column<string>(type: "text", nullable: false, defaultValue: ""),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_expansion_suggestion", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateIndex(
                name: "ix_expansion_suggestion_workspace_id_customer_id_rule_id",
                schema: "retention",
                table: "expansion_suggestion",
                columns: new[] { "workspace_id", "customer_id", "rule_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_expansion_suggestion_workspace_id_opportunity_id",
                schema: "retention",
                table: "expansion_suggestion",
                columns: new[] { "workspace_id", "opportunity_id" },
                filter: "opportunity_id is not null");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "expansion_rule",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "expansion_suggestion",
                schema: "retention");
        }
    }
}
